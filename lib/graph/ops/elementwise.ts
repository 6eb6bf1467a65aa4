/**
 * Elementwise arithmetic.
 */
import {defineOp} from '../op.ts';
import {sizeOf} from '../tensor.ts';
import {expectCompute, expectDType, fail} from './check.ts';

/** silu: x·σ(x); gelu: x·Φ(x), by erf; quick_gelu: x·σ(1.702 x). */
export const unary = defineOp({
  name: 'unary',
  inputs: ['x'],
  attributes: {kind: ['silu', 'gelu', 'quick_gelu']},
  infer: ({x}) => {
    expectCompute('x', x);
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 10 * x.size}),
});

/** Two tensors of equal rank, broadcast over axes of extent 1. */
export const binary = defineOp({
  name: 'binary',
  inputs: ['a', 'b'],
  attributes: {kind: ['add', 'subtract', 'multiply']},
  infer: ({a, b}) => {
    expectCompute('a', a);
    expectDType('b', b, a.dtype);
    const fits =
      a.rank === b.rank && a.shape.every((n, axis) => n === 1 || b.dim(axis) === 1 || n === b.dim(axis));
    if (!fits) fail('equal ranks and extents, or extents of 1');
    return {shape: a.shape.map((n, axis) => (n === 1 ? b.dim(axis) : n)), dtype: a.dtype};
  },
  cost: (_inputs, _attributes, output) => ({flops: sizeOf(output.shape)}),
});

/** scale · x + offset. */
export const affine = defineOp({
  name: 'affine',
  inputs: ['x'],
  attributes: {scale: 'f32', offset: 'f32'},
  infer: ({x}) => {
    expectCompute('x', x);
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 2 * x.size}),
});

/** x [..., 2C] → [..., C]: first half · gelu(second half) (Shazeer 2020, GLU variants, GEGLU). */
export const geglu = defineOp({
  name: 'geglu',
  inputs: ['x'],
  attributes: {},
  infer: ({x}) => {
    expectCompute('x', x);
    const channels = x.dim(-1);
    if (channels % 2 !== 0) fail('an even last axis');
    return {shape: x.shape.with(-1, channels / 2), dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 6 * x.size}),
});
