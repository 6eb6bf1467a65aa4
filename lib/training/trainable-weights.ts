/**
 * Weights that a traced function takes as inputs, so that gradients can be asked of them.
 */
import {WeightsError} from '../errors.ts';
import {reshape} from '../graph/ops/index.ts';
import {formatType, sizeOf, type Tensor} from '../graph/tensor.ts';
import type {WeightSource} from '../nn/weights.ts';

/** Symbolic tensors by the names that layers ask for. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

export class TrainableWeights implements WeightSource {
  readonly label: string;
  readonly #read: (name: string) => Tensor | undefined;

  /** @param read records a weight's tensor where a layer first asks for it */
  constructor(label: string, read: (name: string) => Tensor | undefined) {
    this.label = label;
    this.#read = read;
  }

  /** @throws WeightsError where the weight is missing or of another size */
  tensor(name: string, shape: readonly number[]): Tensor {
    const tensor = this.#read(name);
    if (tensor === undefined || tensor.size !== sizeOf(shape)) {
      const got = tensor === undefined ? 'nothing' : formatType(tensor);
      throw new WeightsError(`${this.label}.${name}: expected [${shape.join(', ')}], got ${got}.`);
    }
    return reshape({x: tensor}, {shape});
  }
}
