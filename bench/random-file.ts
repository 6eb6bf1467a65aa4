/**
 * Random weights in a file of their own, so that ours reads pages of a file as it does for its users.
 */
import {closeSync, mkdtempSync, openSync, rmSync, writeSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {FileWeights} from '../lib/engine/file-weights.ts';
import {sizeOf, type Tensor} from '../lib/graph/tensor.ts';
import type {WeightSource} from '../lib/nn/weights.ts';
import {TorchGenerator} from '../lib/schedulers/torch-generator.ts';
import type {StoredTensor} from '../lib/weights/stored-tensor.ts';

/** Normal numbers that all tensors repeat: time is spent on none of them, and no product sees a pattern. */
const noiseLength = 1_000_003;

/** Weights are written, in float32, when a layer first asks for them. */
export class RandomFile {
  readonly #folder = mkdtempSync(join(tmpdir(), 'ipai-bench-'));
  readonly #path = join(this.#folder, 'weights');
  readonly #descriptor = openSync(this.#path, 'w');
  readonly #noise = new TorchGenerator(0).randn([noiseLength]);
  #end = 0;

  /** Weights of a model, distributed as `RandomWeights`. */
  weights(label: string): WeightSource {
    const tensors = new Map<string, StoredTensor>();
    const weights = new FileWeights(label, tensors);
    return {
      label,
      tensor: (name, shape): Tensor => {
        if (!tensors.has(name)) tensors.set(name, this.#write(name, shape));
        return weights.tensor(name, shape);
      },
    };
  }

  dispose(): void {
    closeSync(this.#descriptor);
    rmSync(this.#folder, {recursive: true});
  }

  #write(name: string, shape: readonly number[]): StoredTensor {
    const data = shape.length === 1 ? constant(name, shape[0]!) : this.#normal(shape);
    const bytes = new Uint8Array(data.buffer);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
    const byteOffset = this.#end;
    this.#end += bytes.length;
    return {name, shape, dtype: 'float32', file: this.#path, byteOffset, byteLength: bytes.length};
  }

  /** Of variance 1 / fan-in. */
  #normal(shape: readonly number[]): Float32Array {
    const size = sizeOf(shape);
    const data = new Float32Array(size);
    const deviation = Math.sqrt(shape[0]! / size);
    const scaled = this.#noise.map(x => x * deviation);
    for (let start = 0; start < size; start += noiseLength) {
      data.set(scaled.subarray(0, size - start), start);
    }
    return data;
  }
}

/** Scales of norms are 1, biases 0. */
function constant(name: string, length: number): Float32Array {
  return new Float32Array(length).fill(name.endsWith('bias') ? 0 : 1);
}
