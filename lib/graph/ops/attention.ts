/**
 * Attention without a stored score matrix.
 */
import {defineOp} from '../op.ts';
import type {Tensor} from '../tensor.ts';
import {expectCompute, expectDType, expectRank, expectShape, fail} from './check.ts';

/**
 * softmax(scale · q·kᵀ + mask)·v per head: q [B, Nq, heads·D], k and v [B, Nk, heads·D] → [B, Nq, heads·D].
 * mask float32 [B or 1, Nq or 1, Nk]. Rows that are masked out wholly give zeros.
 */
export const attention = defineOp({
  name: 'attention',
  inputs: ['q', 'k', 'v', 'mask?'],
  attributes: {heads: 'u32', scale: 'f32', causal: 'bool'},
  infer: ({q, k, v, mask}, {heads}) => {
    expectAttention(q, k, v, heads);
    if (mask !== undefined) {
      const [batch, queries] = [mask.dim(0) === 1 ? 1 : q.dim(0), mask.dim(1) === 1 ? 1 : q.dim(1)];
      expectShape('mask', mask, [batch, queries, k.dim(1)]);
      expectDType('mask', mask, 'float32');
    }
    return {shape: q.shape, dtype: q.dtype};
  },
  cost: ({q, k}) => ({flops: 4 * q.size * k.dim(1)}),
});

/**
 * Decoupled cross-attention (IP-Adapter, Ye et al. 2023, eq. 5):
 * attention(q, k, v) + image_scale[b] · attention(q, image_k, image_v), with one read of q and one write.
 */
export const decoupledAttention = defineOp({
  name: 'decoupled_attention',
  inputs: ['q', 'k', 'v', 'image_k', 'image_v', 'image_scale'],
  attributes: {heads: 'u32', scale: 'f32'},
  infer: ({q, k, v, image_k, image_v, image_scale}, {heads}) => {
    expectAttention(q, k, v, heads);
    expectAttention(q, image_k, image_v, heads);
    expectShape('image_scale', image_scale, [q.dim(0)]);
    expectDType('image_scale', image_scale, 'float32');
    return {shape: q.shape, dtype: q.dtype};
  },
  cost: ({q, k, image_k}) => ({flops: 4 * q.size * (k.dim(1) + image_k.dim(1))}),
});

function expectAttention(q: Tensor, k: Tensor, v: Tensor, heads: number): void {
  expectRank('q', q, 3);
  expectRank('k', k, 3);
  expectCompute('q', q);
  expectDType('k', k, q.dtype);
  expectDType('v', v, q.dtype);
  if (heads < 1 || q.dim(2) % heads !== 0) fail(`channels divisible by ${heads} heads`);
  if (k.dim(0) !== q.dim(0) || k.dim(2) !== q.dim(2)) fail('q and k equal but for the number of tokens');
  expectShape('v', v, k.shape);
}
