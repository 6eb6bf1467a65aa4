/**
 * Rows of a batch that share their sample. Branches of guidance differ in what cross-attention reads and in nothing
 * else, so that all before the first one is computed once a sample, and repeated for its rows where they part.
 */
import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {add} from '../../nn/layers.ts';

/**
 * Each sample of x as often as it has rows, its rows next to each other: [S, …] → [rows, …]. What is there by row
 * already is left as it is; so is what does not divide, which the op that reads it names.
 */
export function toRows(x: Tensor, rows: number): Tensor {
  const [samples, ...rest] = x.shape as [number, ...number[]];
  if (samples === rows || rows % samples !== 0) return x;
  const apart = ops.reshape({x}, {shape: [samples, 1, ...rest]});
  const repeated = ops.broadcastTo({x: apart}, {shape: [samples, rows / samples, ...rest]});
  return ops.reshape({x: repeated}, {shape: [rows, ...rest]});
}

/** a + b, either of which may be there by sample where the other is by row. */
export function addRows(a: Tensor, b: Tensor): Tensor {
  const rows = Math.max(a.dim(0), b.dim(0));
  return add(toRows(a, rows), toRows(b, rows));
}
