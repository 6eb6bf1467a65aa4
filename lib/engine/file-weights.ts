/**
 * Weights that lie in a file: symbolic while tracing, memory-mapped when a recipe is cooked.
 */
import {WeightsError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import {sizeOf} from '../graph/tensor.ts';
import {parameter} from '../graph/trace.ts';
import type {WeightSource} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import {withFile} from '../weights/read-file.ts';
import type {StoredTensor, TensorMap} from '../weights/stored-tensor.ts';

/** A model's weights under the names that its layers ask for. */
export class FileWeights implements WeightSource {
  readonly label: string;
  readonly #tensors: TensorMap;

  /** @param label the model's name in scopes and messages, e.g. `unet` */
  constructor(label: string, tensors: TensorMap) {
    this.label = label;
    this.#tensors = tensors;
  }

  tensor(name: string, shape: readonly number[]): Tensor {
    const stored = this.stored(name);
    if (sizeOf(stored.shape) !== sizeOf(shape)) {
      throw new WeightsError(
        `${this.label}.${name}: expected [${shape.join(', ')}], got [${stored.shape.join(', ')}] in ${stored.file}. ` +
          'Is the config that of these weights?',
      );
    }
    return parameter(this, name, {shape, dtype: computeDType(stored)});
  }

  /** Where a weight lies. */
  stored(name: string): StoredTensor {
    const stored = this.#tensors.get(name);
    if (stored === undefined) {
      throw new WeightsError(
        `${this.label}.${name}: expected this tensor in the weight file, but it is missing.`,
      );
    }
    return stored;
  }

  /**
   * Paths, sizes and times of change of the files: they have gigabytes, and are not read for this.
   *
   * @throws FileError where one has gone
   */
  async identity(): Promise<string> {
    const files = [...new Set([...this.#tensors.values()].map(({file}) => file))].sort();
    const described = files.map(file =>
      withFile(file, async handle => {
        const {size, mtimeMs} = await handle.stat();
        return [file, size, mtimeMs];
      }),
    );
    return JSON.stringify(await Promise.all(described));
  }
}

function computeDType(stored: StoredTensor): DType {
  const {dtype} = stored;
  if (dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16') return dtype;
  throw new WeightsError(
    `${stored.name}: expected float32, float16 or bfloat16, got ${dtype} in ${stored.file}. Convert the file first.`,
  );
}
