/**
 * Joins graph and runtime on one device: functions traced once per input signature, weights prepared once.
 */
import type {Device} from '../runtime/device.ts';
import {trimMemory} from '../runtime/memory.ts';
import {CompiledFunction, type FunctionOptions} from './compiled-function.ts';
import {PreparedWeights} from './prepared-weights.ts';

export interface EngineOptions {
  /** Whether functions that would stream their weights keep them as the others do. Default: on CUDA. */
  readonly keepsWeights?: boolean;
}

export class Engine {
  readonly device: Device;
  readonly weights: PreparedWeights;
  readonly #keepsWeights: boolean;

  constructor(device: Device, {keepsWeights = device.kind === 'cuda'}: EngineOptions = {}) {
    this.device = device;
    this.weights = new PreparedWeights(device);
    this.#keepsWeights = keepsWeights;
  }

  /**
   * A function of trees of symbolic tensors as one of device tensors. Tracing and compiling happen at its first call
   * with each signature (shapes and dtypes of the inputs).
   *
   * @param name stands for the function in profiles and plans
   */
  compile<Inputs, Output>(
    name: string,
    fn: (inputs: Inputs) => Output,
    {streamsWeights = false, ...options}: FunctionOptions = {},
  ): CompiledFunction<Inputs, Output> {
    const streams = streamsWeights && !this.#keepsWeights;
    return new CompiledFunction(this.device, this.weights, name, fn, {...options, streamsWeights: streams});
  }

  /** Frees all prepared weights, and the activations' memory; programs in flight finish first. */
  async dispose(): Promise<void> {
    await this.weights.dispose();
    trimMemory(this.device);
  }
}
