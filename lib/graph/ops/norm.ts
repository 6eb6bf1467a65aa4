/**
 * Normalisations.
 */
import {defineOp} from '../op.ts';
import {expectCompute, expectDType, expectShape, fail} from './check.ts';

/** Over the last axis; scale and shift [C] float32 (Ba et al. 2016, eq. 4). */
export const layerNorm = defineOp({
  name: 'layer_norm',
  inputs: ['x', 'scale?', 'shift?'],
  attributes: {epsilon: 'f32'},
  infer: ({x, scale, shift}) => {
    expectCompute('x', x);
    for (const [role, type] of Object.entries({scale, shift})) {
      expectShape(role, type, [x.dim(-1)]);
      expectDType(role, type, 'float32');
    }
    return {shape: x.shape, dtype: x.dtype};
  },
  cost: ({x}) => ({flops: 8 * x.size}),
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
});
