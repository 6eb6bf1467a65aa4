/**
 * Joins graph and runtime on one device: functions traced once per input signature, weights prepared once.
 */
import type {Device} from '../runtime/device.ts';
import {CompiledFunction} from './compiled-function.ts';
import {PreparedWeights} from './prepared-weights.ts';

export class Engine {
  readonly device: Device;
  readonly weights: PreparedWeights;

  constructor(device: Device) {
    this.device = device;
    this.weights = new PreparedWeights(device);
  }

  /**
   * A function of trees of symbolic tensors as one of device tensors. Tracing and compiling happen at its first call
   * with each signature (shapes and dtypes of the inputs).
   *
   * @param name stands for the function in profiles and plans
   */
  compile<Inputs, Output>(name: string, fn: (inputs: Inputs) => Output): CompiledFunction<Inputs, Output> {
    return new CompiledFunction(this.device, this.weights, name, fn);
  }

  /** Frees all prepared weights; programs in flight finish first. */
  dispose(): Promise<void> {
    return this.weights.dispose();
  }
}
