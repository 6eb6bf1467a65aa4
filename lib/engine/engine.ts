/**
 * Joins graph and runtime on one device: functions traced once per input signature, weights prepared once.
 */
import type {Device} from '../runtime/device.ts';
import {CompiledFunction} from './compiled-function.ts';
import {PreparedWeights} from './prepared-weights.ts';
import {WeightGroup} from './weight-group.ts';

export interface EngineOptions {
  /** Whether the weights of groups stay after their last use. Default true. */
  readonly keepWeights?: boolean;
}

export class Engine {
  readonly device: Device;
  readonly weights: PreparedWeights;
  readonly #keepWeights: boolean;
  readonly #permanent: WeightGroup;

  constructor(device: Device, {keepWeights = true}: EngineOptions = {}) {
    this.device = device;
    this.weights = new PreparedWeights(device);
    this.#keepWeights = keepWeights;
    this.#permanent = new WeightGroup(this.weights, {isKept: true});
  }

  /** A group for functions that share their weights' time in memory. */
  weightGroup(): WeightGroup {
    return new WeightGroup(this.weights, {isKept: this.#keepWeights});
  }

  /**
   * A function of trees of symbolic tensors as one of device tensors. Tracing and compiling happen at its first call
   * with each signature (shapes and dtypes of the inputs).
   *
   * @param name stands for the function in profiles and plans
   * @param group says how long its weights stay. Default: until the engine is disposed
   */
  compile<Inputs, Output>(
    name: string,
    fn: (inputs: Inputs) => Output,
    group: WeightGroup = this.#permanent,
  ): CompiledFunction<Inputs, Output> {
    return new CompiledFunction(this.device, group, name, fn);
  }

  /** Frees all prepared weights; programs in flight finish first. */
  dispose(): Promise<void> {
    return this.weights.dispose();
  }
}
