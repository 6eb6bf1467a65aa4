/**
 * Random weights of any model, made on the device: for benchmarks and for trying things out without a weight file.
 */
import {fill, randomNormal} from '../graph/ops/index.ts';
import {sizeOf, type Tensor} from '../graph/tensor.ts';
import type {WeightSource} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';

export interface RandomWeightsOptions {
  /** Equal seeds give equal weights. */
  readonly seed?: number;
  /** How the weights are held before packing, as a file would hold them. */
  readonly dtype?: DType;
}

/**
 * Norm scales are 1, biases 0, everything else normal with variance 1 / fan-in, so that activations keep their size
 * through any depth.
 */
export class RandomWeights implements WeightSource {
  readonly label: string;
  readonly #seed: number;
  readonly #dtype: DType;

  constructor(label: string, {seed = 0, dtype = 'float32'}: RandomWeightsOptions = {}) {
    this.label = label;
    this.#seed = seed;
    this.#dtype = dtype;
  }

  tensor(name: string, shape: readonly number[]): Tensor {
    const dtype = this.#dtype;
    if (shape.length === 1) return fill({}, {shape, value: name.endsWith('bias') ? 0 : 1, dtype});
    const fanIn = sizeOf(shape) / shape[0]!;
    const seed = hash(`${this.#seed}/${this.label}/${name}`);
    return randomNormal({}, {shape, seed, mean: 0, std: 1 / Math.sqrt(fanIn), dtype});
  }

  async identity(): Promise<string> {
    return `random ${this.#dtype}, seed ${this.#seed}`;
  }
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    state = Math.imul(state ^ text.charCodeAt(i), 0x01000193);
  }
  return state >>> 0;
}
