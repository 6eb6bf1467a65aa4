import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {castTo} from '../../nn/layers.ts';
import type {AttentionOptions} from './cross-attention.ts';

/**
 * What attention weighs values by, softmax(scale · q·kᵀ), as the mean over heads; computed in float32. Of values that are
 * rows of the identity, attention makes its own weights: as many keys at a time as a head has channels.
 *
 * @param q [B, N, C]
 * @param k [B, M, C]
 * @returns float32 [B, N, M]: at least 0, and 1 in sum over the keys
 */
export function attentionWeights(q: Tensor, k: Tensor, options: AttentionOptions): Tensor {
  const {heads} = options;
  const [batch, queries, channels] = q.shape as [number, number, number];
  const keys = k.dim(1);
  const width = channels / heads;
  const [query, key] = [castTo(q, 'float32'), castTo(k, 'float32')];
  const firstKeys = Array.from({length: Math.ceil(keys / width)}, (_, part) => part * width);
  const parts = firstKeys.map(first => {
    const length = Math.min(width, keys - first);
    const rows = ops.pad(scaledIdentity(length, width, 1 / heads), 0, first, keys - first - length);
    const apart = ops.reshape({x: rows}, {shape: [1, keys, 1, width]});
    const repeated = ops.broadcastTo({x: apart}, {shape: [batch, keys, heads, width]});
    const v = ops.reshape({x: repeated}, {shape: k.shape});
    const weights = ops.attention({q: query, k: key, v}, {...options, causal: false});
    const byHead = ops.reshape({x: weights}, {shape: [batch, queries, heads, width]});
    const means = ops.reduceSum({x: byHead}, {shape: [batch, queries, 1, width], dtype: 'float32'});
    return ops.slice(
      {x: ops.reshape({x: means}, {shape: [batch, queries, width]})},
      {axis: 2, start: 0, length},
    );
  });
  return parts.length === 1 ? parts[0]! : ops.concat({parts}, {axis: 2});
}

/** `factor` at [i, i], 0 elsewhere: float32 [rows, columns], of which there are at least as many columns. */
function scaledIdentity(rows: number, columns: number, factor: number): Tensor {
  const fill = (extent: number, value: number) => ops.fill({}, {shape: [1, extent], value, dtype: 'float32'});
  // From one place of the diagonal to the next it is a row and a column.
  const period = ops.concat({parts: [fill(1, factor), fill(columns, 0)]}, {axis: 1});
  const periods = ops.broadcastTo({x: period}, {shape: [rows, columns + 1]});
  const flat = ops.reshape({x: periods}, {shape: [rows * (columns + 1)]});
  const kept = ops.slice({x: flat}, {axis: 0, start: 0, length: rows * columns});
  return ops.reshape({x: kept}, {shape: [rows, columns]});
}
