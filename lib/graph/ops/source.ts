/**
 * Ops that make data from little or nothing.
 */
import {dtypes} from '../../runtime/dtype.ts';
import {defineOp, noGradients} from '../op.ts';
import {sizeOf} from '../tensor.ts';
import {expectDType, expectRank} from './check.ts';

/**
 * Sinusoidal embedding of timesteps [S] float32 → [S, dim] float32 (Vaswani et al. 2017, §3.5, with diffusers'
 * `flip_sin_to_cos` and `downscale_freq_shift`).
 */
export const timestepEmbedding = defineOp({
  name: 'timestep_embedding',
  inputs: ['timesteps'],
  attributes: {dim: 'u32', flip_sin_to_cos: 'bool', downscale_freq_shift: 'f32', max_period: 'f32'},
  infer: ({timesteps}, {dim}) => {
    expectRank('timesteps', timesteps, 1);
    expectDType('timesteps', timesteps, 'float32');
    return {shape: [timesteps.dim(0), dim], dtype: 'float32'};
  },
  cost: (_inputs, _attributes, output) => ({flops: 20 * sizeOf(output.shape)}),
  vjp: noGradients,
});

/** Normal noise whose element i depends on seed and i only: for models with random weights. */
export const randomNormal = defineOp({
  name: 'random_normal',
  inputs: [],
  attributes: {shape: 'i32[]', seed: 'u32', mean: 'f32', std: 'f32', dtype: dtypes},
  infer: (_inputs, {shape, dtype}) => ({shape, dtype}),
  cost: (_inputs, {shape}) => ({flops: 40 * sizeOf(shape)}),
  vjp: noGradients,
});

/** A constant. */
export const fill = defineOp({
  name: 'fill',
  inputs: [],
  attributes: {shape: 'i32[]', value: 'f32', dtype: dtypes},
  infer: (_inputs, {shape, dtype}) => ({shape, dtype}),
  cost: () => ({flops: 0}),
  vjp: noGradients,
});
