/**
 * The parts that UNet and autoencoder are both built of.
 */
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {add, conv2d, groupNorm, silu} from './layers.ts';
import type {Weights} from './weights.ts';

export interface ResnetBlockOptions {
  readonly groups: number;
  readonly epsilon: number;
  /** float32 [B or 1, outChannels]: the projected time embedding, added after the first convolution. */
  readonly sampleBias?: Tensor | undefined;
}

/**
 * x [B, H, W, I] → [B, H, W, outChannels]: norm, SiLU and convolution twice, plus x; the shortcut is a 1x1 convolution
 * where the number of channels changes (diffusers' `ResnetBlock2D` with its default settings).
 */
export function resnetBlock(
  weights: Weights,
  x: Tensor,
  outChannels: number,
  {groups, epsilon, sampleBias}: ResnetBlockOptions,
): Tensor {
  // First, so that the norm is the last reader of x and takes its memory over.
  const shortcut =
    x.dim(3) === outChannels ? x : conv2d(weights.at('conv_shortcut'), x, outChannels, {kernelSize: 1});
  const normed = silu(groupNorm(weights.at('norm1'), x, {groups, epsilon}));
  const hidden = conv2d(weights.at('conv1'), normed, outChannels, {sampleBias});
  const normedHidden = silu(groupNorm(weights.at('norm2'), hidden, {groups, epsilon}));
  const residual = conv2d(weights.at('conv2'), normedHidden, outChannels);
  return add(shortcut, residual);
}

/** x [B, H, W, C] → [B, height, width, C]: pixels repeated, then convolved (diffusers' `Upsample2D`). */
export function upsampler(weights: Weights, x: Tensor, height: number, width: number): Tensor {
  return conv2d(weights.at('conv'), ops.upsampleNearest({x}, {height, width}), x.dim(3));
}
