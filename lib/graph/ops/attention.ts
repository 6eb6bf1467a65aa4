/**
 * Attention without a stored score matrix.
 */
import {defineOp, noSecondDerivative} from '../op.ts';
import type {Tensor} from '../tensor.ts';
import {expectCompute, expectDType, expectRank, expectShape, fail} from './check.ts';
import {cast, reduceSum, reshape, slice} from './data.ts';
import {binary} from './elementwise.ts';

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
    expectMask(mask, q, k);
    return {shape: q.shape, dtype: q.dtype};
  },
  cost: ({q, k}) => ({flops: 4 * q.size * k.dim(1)}),
  vjp: ({inputs, attributes, output, gradient}) =>
    gradientParts(() => attentionGradient({...inputs, output, gradient}, attributes), inputs.q, inputs.k),
});

/**
 * The gradients of {@link attention} with respect to q, k and v, joined along the tokens: [B, Nq + 2·Nk, heads·D].
 */
export const attentionGradient = defineOp({
  name: 'attention_gradient',
  inputs: ['q', 'k', 'v', 'output', 'gradient', 'mask?'],
  attributes: {heads: 'u32', scale: 'f32', causal: 'bool'},
  infer: ({q, k, v, output, gradient, mask}, {heads}) => {
    expectAttention(q, k, v, heads);
    for (const [role, type] of Object.entries({output, gradient})) {
      expectShape(role, type, q.shape);
      expectDType(role, type, q.dtype);
    }
    expectMask(mask, q, k);
    return {shape: q.shape.with(1, q.dim(1) + 2 * k.dim(1)), dtype: q.dtype};
  },
  cost: ({q, k}) => ({flops: 12 * q.size * k.dim(1)}),
  vjp: noSecondDerivative,
});

/** Of joined gradients, recorded once, those of q, k and v. */
function gradientParts(record: () => Tensor, q: Tensor, k: Tensor) {
  let joined: Tensor | undefined;
  const part = (start: number, length: number) => () => {
    joined ??= record();
    return slice({x: joined}, {axis: 1, start, length});
  };
  const [queries, keys] = [q.dim(1), k.dim(1)];
  return {q: part(0, queries), k: part(queries, keys), v: part(queries + keys, keys)};
}

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
  vjp: ({inputs: {q, k, v, image_k, image_v, image_scale}, attributes, gradient}) => {
    const options = {...attributes, causal: false};
    const attend = (key: Tensor, value: Tensor): Tensor => attention({q, k: key, v: value}, options);
    const parts = (key: Tensor, value: Tensor, ofOutput: () => Tensor) =>
      gradientParts(
        () =>
          attentionGradient({q, k: key, v: value, output: attend(key, value), gradient: ofOutput()}, options),
        q,
        key,
      );
    const samples = q.dim(0);
    const scale = (): Tensor =>
      cast({x: reshape({x: image_scale}, {shape: [samples, 1, 1]})}, {dtype: q.dtype});
    const times = (factor: Tensor): Tensor => binary({a: gradient, b: factor}, {kind: 'multiply'});
    const text = parts(k, v, () => gradient);
    const image = parts(image_k, image_v, () => times(scale()));
    return {
      q: (): Tensor => binary({a: text.q(), b: image.q()}, {kind: 'add'}),
      k: text.k,
      v: text.v,
      image_k: image.k,
      image_v: image.v,
      image_scale: (): Tensor => {
        const products = times(attend(image_k, image_v));
        const sums = reduceSum({x: products}, {shape: [samples, 1, 1], dtype: 'float32'});
        return reshape({x: sums}, {shape: [samples]});
      },
    };
  },
});

function expectMask(mask: Tensor | undefined, q: Tensor, k: Tensor): void {
  if (mask === undefined) return;
  const [batch, queries] = [mask.dim(0) === 1 ? 1 : q.dim(0), mask.dim(1) === 1 ? 1 : q.dim(1)];
  expectShape('mask', mask, [batch, queries, k.dim(1)]);
  expectDType('mask', mask, 'float32');
}

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
