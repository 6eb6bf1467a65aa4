/**
 * Functions whose prepared weights come and go together.
 */
import type {PreparedRecipe} from '../graph/tensor.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import {trimMemory} from '../runtime/memory.ts';
import type {PreparedWeights} from './prepared-weights.ts';

/**
 * The weights of a group are there while one of its functions runs, or work inside of `during` goes on, and are freed
 * after the last of these; of a kept group they stay until the engine is disposed. Users are counted, so that calls at
 * the same time share the weights and none loses them to another.
 */
export class WeightGroup {
  /** Whether the weights stay after their last use. */
  readonly isKept: boolean;
  readonly #weights: PreparedWeights;
  #users = 0;

  constructor(weights: PreparedWeights, {isKept}: {readonly isKept: boolean}) {
    this.#weights = weights;
    this.isKept = isKept;
  }

  /** Does some work with the weights that it prepares kept from one run to the next. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      if (this.#users === 0 && !this.isKept) await this.#free();
    }
  }

  /** The value of a recipe; only within `during`, of which a function's run is one. */
  get(recipe: PreparedRecipe): Promise<DeviceTensor> {
    return this.#weights.get(recipe, this);
  }

  async #free(): Promise<void> {
    await this.#weights.release(this);
    // The activations as well: a VAE's would otherwise lie beside the UNet's weights.
    trimMemory();
  }
}
