/**
 * t-SNE (van der Maaten & Hinton 2008), exact: points in the plane that are neighbours where those of many dimensions are.
 */
import {setImmediate} from 'node:timers/promises';
import {ArgumentError} from '../errors.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';

export interface TsneOptions {
  /** Effective number of each point's neighbours. It is less than the number of the others. */
  readonly perplexity: number;
  readonly seed: number;
  /** Default 1000. */
  readonly iterations?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type Point = readonly [x: number, y: number];

/** The paper's settings (§3.4), with the gain of delta-bar-delta of its reference implementation. */
const exaggeration = {factor: 4, iterations: 100};
const momentum = {early: 0.5, late: 0.8, changesAt: 250};
const gain = {step: 0.2, decay: 0.8, smallest: 0.01};
const initialScale = 1e-4;

/**
 * Equal vectors and options give equal points. Other work has its turn between iterations, each of which takes time with
 * the square of the number of points: this is for some hundreds of them.
 *
 * @param vectors of one length, which are not all the same
 * @returns a point for each vector, around 0
 * @throws ArgumentError for a perplexity that is too large, or too small; the signal's reason on abort
 */
export async function tsne(
  vectors: readonly ArrayLike<number>[],
  {perplexity, seed, iterations = 1000, signal}: TsneOptions,
): Promise<Point[]> {
  const count = vectors.length;
  if (!(perplexity > 1 && perplexity < count - 1)) {
    throw new ArgumentError(
      `perplexity: expected a number above 1 and below ${count - 1}, the number of other points, got ${perplexity}.`,
    );
  }
  const affinities = jointProbabilities(vectors, perplexity);
  // Belkina et al. 2019: one that grows with the number of points, where the paper has 100 for all.
  const learningRate = Math.max(count / exaggeration.factor, 50);
  const positions = Float64Array.from(new TorchGenerator(seed).randn([2 * count]), x => x * initialScale);
  const velocity = new Float64Array(2 * count);
  const gains = new Float64Array(2 * count).fill(1);
  for (let iteration = 0; iteration < iterations; iteration++) {
    await setImmediate();
    signal?.throwIfAborted();
    const factor = iteration < exaggeration.iterations ? exaggeration.factor : 1;
    const gradient = gradientOf(affinities, positions, factor);
    const inertia = iteration < momentum.changesAt ? momentum.early : momentum.late;
    for (let i = 0; i < positions.length; i++) {
      const turns = gradient[i]! > 0 === velocity[i]! > 0;
      gains[i] = Math.max(turns ? gains[i]! * gain.decay : gains[i]! + gain.step, gain.smallest);
      velocity[i] = inertia * velocity[i]! - learningRate * gains[i]! * gradient[i]!;
      positions[i] = positions[i]! + velocity[i]!;
    }
    center(positions);
  }
  return Array.from({length: count}, (_, i) => [positions[2 * i]!, positions[2 * i + 1]!] as const);
}

/** p_ij (§3.1): symmetric, [count, count], sum 1. */
function jointProbabilities(vectors: readonly ArrayLike<number>[], perplexity: number): Float64Array {
  const count = vectors.length;
  const joint = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    const squares = Float64Array.from(vectors, other => squaredDistance(vectors[i]!, other));
    const row = conditionalProbabilities(squares, i, perplexity);
    for (let j = 0; j < count; j++) {
      const half = row[j]! / (2 * count);
      joint[i * count + j] = joint[i * count + j]! + half;
      joint[j * count + i] = joint[j * count + i]! + half;
    }
  }
  return joint;
}

/**
 * p_j|i (eq. 1) of a point's squared distances to all: a Gaussian, of which bisection finds the precision at which the
 * perplexity 2^H(P) is as asked.
 */
export function conditionalProbabilities(
  squares: Float64Array,
  self: number,
  perplexity: number,
): Float64Array {
  const others = squares.filter((_, j) => j !== self);
  const nearest = others.reduce((a, b) => Math.min(a, b));
  const spread = others.reduce((sum, square) => sum + square - nearest, 0) / others.length;
  let [low, high] = [0, Number.POSITIVE_INFINITY];
  // Where all others are equally far, any precision gives the same.
  let precision = spread > 0 ? 1 / spread : 1;
  let row = new Float64Array(0);
  for (let tries = 0; tries < 100; tries++) {
    // Less the nearest, which changes no ratio, so that not all become 0.
    row = squares.map((square, j) => (j === self ? 0 : Math.exp(-precision * (square - nearest))));
    const sum = row.reduce((a, b) => a + b);
    row = row.map(value => value / sum);
    const entropy = row.reduce((bits, p) => (p > 0 ? bits - p * Math.log2(p) : bits), 0);
    const excess = entropy - Math.log2(perplexity);
    if (Math.abs(excess) < 1e-7) break;
    if (excess > 0) low = precision;
    else high = precision;
    precision = high === Number.POSITIVE_INFINITY ? precision * 2 : (low + high) / 2;
  }
  return row;
}

/** Of the Kullback-Leibler divergence (eq. 5), with probabilities times a factor. */
function gradientOf(affinities: Float64Array, positions: Float64Array, factor: number): Float64Array {
  const count = positions.length / 2;
  const gradient = new Float64Array(positions.length);
  let total = 0;
  const kernel = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const dx = positions[2 * i]! - positions[2 * j]!;
      const dy = positions[2 * i + 1]! - positions[2 * j + 1]!;
      const value = 1 / (1 + dx * dx + dy * dy);
      kernel[i * count + j] = value;
      total += 2 * value;
    }
  }
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      const value = kernel[i * count + j]!;
      const force = 4 * (factor * affinities[i * count + j]! - value / total) * value;
      const pullX = force * (positions[2 * i]! - positions[2 * j]!);
      const pullY = force * (positions[2 * i + 1]! - positions[2 * j + 1]!);
      gradient[2 * i] = gradient[2 * i]! + pullX;
      gradient[2 * i + 1] = gradient[2 * i + 1]! + pullY;
      gradient[2 * j] = gradient[2 * j]! - pullX;
      gradient[2 * j + 1] = gradient[2 * j + 1]! - pullY;
    }
  }
  return gradient;
}

function center(positions: Float64Array): void {
  for (const axis of [0, 1]) {
    let sum = 0;
    for (let i = axis; i < positions.length; i += 2) sum += positions[i]!;
    const mean = (2 * sum) / positions.length;
    for (let i = axis; i < positions.length; i += 2) positions[i] = positions[i]! - mean;
  }
}

function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
