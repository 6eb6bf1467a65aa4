/**
 * Weights that lie in the host's memory, as those of a model in training do: symbolic while tracing, copied to the device
 * when a program reads them.
 */
import {WeightsError} from '../errors.ts';
import {sizeOf, type Tensor} from '../graph/tensor.ts';
import {parameter} from '../graph/trace.ts';
import type {WeightSource} from '../nn/weights.ts';

export interface HostWeight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export class HostWeights implements WeightSource {
  readonly label: string;
  readonly #tensors: ReadonlyMap<string, HostWeight>;

  /**
   * @param label the model's name in scopes and messages
   * @param tensors by the names that its layers ask for; programs see what they hold when they first read it
   */
  constructor(label: string, tensors: ReadonlyMap<string, HostWeight>) {
    this.label = label;
    this.#tensors = tensors;
  }

  /** @throws WeightsError where the weight is missing or of another size */
  tensor(name: string, shape: readonly number[]): Tensor {
    const {shape: stored} = this.weight(name);
    if (sizeOf(stored) !== sizeOf(shape)) {
      throw new WeightsError(
        `${this.label}.${name}: expected [${shape.join(', ')}], got [${stored.join(', ')}]. Are these weights of this model?`,
      );
    }
    return parameter(this, name, {shape, dtype: 'float32'});
  }

  /** @throws WeightsError where it is missing */
  weight(name: string): HostWeight {
    const weight = this.#tensors.get(name);
    if (weight !== undefined) return weight;
    throw new WeightsError(`${this.label}.${name}: expected this weight, but it is missing.`);
  }
}
