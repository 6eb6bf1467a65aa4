/**
 * Weights that training of a whole model begins with.
 */
import type {HostTensor} from '../pipelines/host-tensor.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';

export interface InitialWeightsOptions {
  readonly seed: number;
  /** Names of those that begin at 0. */
  readonly zeros?: RegExp;
  /** Names of those that begin as normal noise of a deviation of 0.02, as CLIP's embeddings do. */
  readonly embeddings?: RegExp;
}

const embeddingDeviation = 0.02;

/** Draws in the order of the names; what is neither of the options' is PyTorch's default. */
export function initialWeights(
  shapes: ReadonlyMap<string, readonly number[]>,
  {seed, zeros, embeddings}: InitialWeightsOptions,
): Map<string, HostTensor> {
  const generator = new TorchGenerator(seed);
  return new Map(
    [...shapes].map(([name, shape]) => {
      if (zeros?.test(name)) return [name, {shape, data: new Float32Array(shape.reduce((a, b) => a * b))}];
      if (!embeddings?.test(name)) return [name, defaultWeight(name, shape, generator)];
      return [name, {shape, data: generator.randn(shape).map(x => x * embeddingDeviation)}];
    }),
  );
}

/**
 * As PyTorch's convolutions, `Linear` and norms begin, kernels uniform within 1/√fan-in, but for biases, which are 0.
 */
export function defaultWeight(name: string, shape: readonly number[], generator: TorchGenerator): HostTensor {
  if (shape.length === 1) {
    return {shape, data: new Float32Array(shape[0]!).fill(name.endsWith('.bias') ? 0 : 1)};
  }
  const fanIn = shape.slice(1).reduce((a, b) => a * b);
  const bound = fanIn ** -0.5;
  return {shape, data: generator.rand(shape).map(x => (2 * x - 1) * bound)};
}
