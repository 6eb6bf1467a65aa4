/**
 * Elementwise arithmetic.
 */
import {defineOp, noSecondDerivative} from '../op.ts';
import {sizeOf, type Tensor} from '../tensor.ts';
import {expectCompute, expectDType, expectShape, fail, sameShape} from './check.ts';
import {concat, reduceSum, slice} from './data.ts';

const activations = ['silu', 'gelu', 'quick_gelu'] as const;

/** silu: x·σ(x); gelu: x·Φ(x), by erf; quick_gelu: x·σ(1.702 x); rsqrt: 1/√x. */
export const unary = defineOp({
  name: 'unary',
  inputs: ['x'],
  attributes: {kind: [...activations, 'exp', 'log', 'rsqrt']},
  infer: ({x}) => {
    expectCompute('x', x);
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 10 * x.size}),
  vjp: ({inputs: {x}, attributes: {kind}, output, gradient}) => {
    const times = (a: Tensor, b: Tensor): Tensor => binary({a, b}, {kind: 'multiply'});
    return {
      x: (): Tensor => {
        if (kind === 'exp') return times(gradient, output);
        if (kind === 'log') {
          const root = unary({x}, {kind: 'rsqrt'});
          return times(gradient, times(root, root));
        }
        if (kind === 'rsqrt') {
          const cube = times(output, times(output, output));
          return times(gradient, affine({x: cube}, {scale: -0.5, offset: 0}));
        }
        return activationGradient({x, gradient}, {kind});
      },
    };
  },
});

/** gradient · f'(x), for the activations f of {@link unary}. */
export const activationGradient = defineOp({
  name: 'activation_gradient',
  inputs: ['x', 'gradient'],
  attributes: {kind: activations},
  infer: ({x, gradient}) => {
    expectCompute('x', x);
    expectShape('gradient', gradient, x.shape);
    expectDType('gradient', gradient, x.dtype);
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 14 * x.size}),
  vjp: noSecondDerivative,
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
  vjp: ({inputs: {a, b}, attributes: {kind}, gradient}) => {
    const summed = (x: Tensor, to: Tensor): Tensor =>
      sameShape(x.shape, to.shape) ? x : reduceSum({x}, {shape: to.shape, dtype: to.dtype});
    const times = (factor: Tensor): Tensor => binary({a: gradient, b: factor}, {kind: 'multiply'});
    if (kind === 'multiply')
      return {a: (): Tensor => summed(times(b), a), b: (): Tensor => summed(times(a), b)};
    const sign = kind === 'add' ? 1 : -1;
    return {
      a: (): Tensor => summed(gradient, a),
      b: (): Tensor => summed(sign === 1 ? gradient : affine({x: gradient}, {scale: -1, offset: 0}), b),
    };
  },
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
  vjp: ({attributes: {scale}, gradient}) => ({x: (): Tensor => affine({x: gradient}, {scale, offset: 0})}),
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
  vjp: ({inputs: {x}, gradient}) => ({
    x: (): Tensor => {
      const axis = x.rank - 1;
      const length = x.dim(-1) / 2;
      const [values, gates] = [0, length].map(start => slice({x}, {axis, start, length})) as [Tensor, Tensor];
      const times = (factor: Tensor): Tensor => binary({a: gradient, b: factor}, {kind: 'multiply'});
      const ofValues = times(unary({x: gates}, {kind: 'gelu'}));
      const ofGates = activationGradient({x: gates, gradient: times(values)}, {kind: 'gelu'});
      return concat({parts: [ofValues, ofGates]}, {axis});
    },
  }),
});
