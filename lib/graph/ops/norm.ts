/**
 * Normalisations.
 */
import {dtypes} from '../../runtime/dtype.ts';
import {defineOp, noSecondDerivative} from '../op.ts';
import type {Tensor} from '../tensor.ts';
import {expectCompute, expectDType, expectShape, fail} from './check.ts';
import {channelSums} from './data.ts';
import {binary} from './elementwise.ts';
import {fill} from './source.ts';

/** Over the last axis; scale and shift [C] float32 (Ba et al. 2016, eq. 4). The result has x's dtype, or where x is float32 any. */
export const layerNorm = defineOp({
  name: 'layer_norm',
  inputs: ['x', 'scale?', 'shift?'],
  attributes: {epsilon: 'f32', dtype: dtypes},
  infer: ({x, scale, shift}, {dtype}) => {
    expectCompute('x', x);
    if (dtype !== x.dtype && x.dtype !== 'float32') fail(`a result of x's dtype, got ${dtype}`);
    for (const [role, type] of Object.entries({scale, shift})) {
      expectShape(role, type, [x.dim(-1)]);
      expectDType(role, type, 'float32');
    }
    return {shape: x.shape, dtype};
  },
  cost: ({x}) => ({flops: 8 * x.size}),
  vjp: ({inputs: {x, scale}, attributes, gradient}) => {
    if (attributes.dtype !== x.dtype) fail('a graph that is not fused yet, for the gradient');
    return {
      x: (): Tensor => layerNormGradient({x, gradient, scale}, {epsilon: attributes.epsilon}),
      scale: (): Tensor => channelSums(times(gradient, layerNorm({x}, attributes))),
      shift: (): Tensor => channelSums(gradient),
    };
  },
});

/** The gradient of {@link layerNorm} with respect to x. */
export const layerNormGradient = defineOp({
  name: 'layer_norm_gradient',
  inputs: ['x', 'gradient', 'scale?'],
  attributes: {epsilon: 'f32'},
  infer: ({x, gradient, scale}) => {
    expectCompute('x', x);
    expectShape('gradient', gradient, x.shape);
    expectDType('gradient', gradient, x.dtype);
    expectShape('scale', scale, [x.dim(-1)]);
    expectDType('scale', scale, 'float32');
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 16 * x.size}),
  vjp: noSecondDerivative,
});

/** x [B, ..., C], channels in `groups` groups normalised over space and group (Wu & He 2018, eq. 7), then SiLU if asked. */
export const groupNorm = defineOp({
  name: 'group_norm',
  inputs: ['x', 'scale', 'shift'],
  attributes: {groups: 'u32', epsilon: 'f32', activation: ['none', 'silu']},
  infer: ({x, scale, shift}, {groups}) => {
    expectCompute('x', x);
    if (groups < 1 || x.dim(-1) % groups !== 0) fail(`channels divisible by ${groups} groups`);
    for (const [role, type] of Object.entries({scale, shift})) {
      expectShape(role, type, [x.dim(-1)]);
      expectDType(role, type, 'float32');
    }
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 12 * x.size}),
  vjp: ({inputs: {x, scale}, attributes: {groups, epsilon, activation}, gradient}) => {
    if (activation !== 'none') fail('a graph that is not fused yet, for the gradient');
    const constant = (value: number) => fill({}, {shape: scale.shape, value, dtype: 'float32'});
    const normal = (): Tensor =>
      groupNorm({x, scale: constant(1), shift: constant(0)}, {groups, epsilon, activation});
    return {
      x: (): Tensor => groupNormGradient({x, gradient, scale}, {groups, epsilon}),
      scale: (): Tensor => channelSums(times(gradient, normal())),
      shift: (): Tensor => channelSums(gradient),
    };
  },
});

/** The gradient of {@link groupNorm}, without activation, with respect to x. */
export const groupNormGradient = defineOp({
  name: 'group_norm_gradient',
  inputs: ['x', 'gradient', 'scale'],
  attributes: {groups: 'u32', epsilon: 'f32'},
  infer: ({x, gradient, scale}, {groups}) => {
    expectCompute('x', x);
    if (groups < 1 || x.dim(-1) % groups !== 0) fail(`channels divisible by ${groups} groups`);
    expectShape('gradient', gradient, x.shape);
    expectDType('gradient', gradient, x.dtype);
    expectShape('scale', scale, [x.dim(-1)]);
    expectDType('scale', scale, 'float32');
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 20 * x.size}),
  vjp: noSecondDerivative,
});

function times(a: Tensor, b: Tensor): Tensor {
  return binary({a, b}, {kind: 'multiply'});
}
