/**
 * Between the layout of pictures and latents at a model's border, float32 channels first as in diffusers, and the
 * layout of activations, channels last.
 */
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {DType} from '../runtime/dtype.ts';
import {castTo} from './layers.ts';

/** float32 [B, C, H, W] → `dtype` [B, H, W, C]. */
export function fromChannelsFirst(x: Tensor, dtype: DType): Tensor {
  return ops.transpose({x: castTo(x, dtype)}, {permutation: [0, 2, 3, 1]});
}

/** [B, H, W, C] of any compute dtype → float32 [B, C, H, W]. */
export function toChannelsFirst(x: Tensor): Tensor {
  return castTo(ops.transpose({x}, {permutation: [0, 3, 1, 2]}), 'float32');
}
