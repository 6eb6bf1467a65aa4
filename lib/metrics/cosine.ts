/**
 * Arithmetic of embeddings, of which the direction alone counts.
 */
import {NumericError, ShapeError} from '../errors.ts';

export type Embedding = Float32Array | Float64Array;

/** From -1 to 1. @throws ShapeError for embeddings of two sizes, NumericError for one that has no direction */
export function cosine(a: Embedding, b: Embedding): number {
  const [x, y] = unitPair(a, b);
  return x.reduce((sum, value, i) => sum + value * y[i]!, 0);
}

/** a - b, both brought to length 1 first. @throws as {@link cosine} does */
export function difference(a: Embedding, b: Embedding): Float64Array {
  const [x, y] = unitPair(a, b);
  return x.map((value, i) => value - y[i]!);
}

/** Both brought to length 1. */
function unitPair(a: Embedding, b: Embedding): [Float64Array, Float64Array] {
  if (a.length === b.length) return [normalize(a), normalize(b)];
  throw new ShapeError(
    `scores: expected embeddings of one size, got ${a.length} and ${b.length}. Are they of one model?`,
  );
}

function normalize(embedding: Embedding): Float64Array {
  const length = Math.hypot(...embedding);
  if (length > 0 && Number.isFinite(length)) return Float64Array.from(embedding, value => value / length);
  throw new NumericError(`scores: expected an embedding of finite length other than 0, got ${length}.`);
}
