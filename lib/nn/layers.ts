/**
 * Layers as functions of (weights, inputs). Names of the weights are PyTorch's: `weight`, `bias`.
 */

import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {scoped} from '../graph/trace.ts';
import type {DType} from '../runtime/dtype.ts';
import type {Weights} from './weights.ts';

/** The tensor itself where it has the dtype already, else a cast. */
export function castTo(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : ops.cast({x}, {dtype});
}

/** A weight vector as float32, the dtype of biases, scales and shifts in every kernel. */
export function vector(weights: Weights, name: string, length: number): Tensor {
  return castTo(weights.tensor(name, [length]), 'float32');
}

/** x·Wᵀ + b: x [..., K] → [..., outFeatures]. */
export function linear(
  weights: Weights,
  x: Tensor,
  outFeatures: number,
  {bias = true}: {readonly bias?: boolean} = {},
): Tensor {
  return scoped(weights.path, () => {
    const weight = ops.packLinear(
      {weight: weights.tensor('weight', [outFeatures, x.dim(-1)])},
      {dtype: x.dtype, glu: false, transposed: false},
    );
    return ops.linear(
      {x, weight, bias: bias ? vector(weights, 'bias', outFeatures) : undefined},
      {activation: 'none'},
    );
  });
}

/** Layers without bias whose weights lie behind each other in one [parts · outFeatures, K]: x [..., K] → parts [..., outFeatures]. */
export function linearParts(weights: Weights, x: Tensor, outFeatures: number, parts: number): Tensor[] {
  return scoped(weights.path, () => {
    const whole = weights.tensor('weight', [parts * outFeatures, x.dim(-1)]);
    return Array.from({length: parts}, (_, part) => {
      const weight = ops.slice({x: whole}, {axis: 0, start: part * outFeatures, length: outFeatures});
      const packed = ops.packLinear({weight}, {dtype: x.dtype, glu: false, transposed: false});
      return ops.linear({x, weight: packed}, {activation: 'none'});
    });
  });
}

export interface ConvolveOptions {
  readonly stride?: number;
  /** One number for all sides, or top, left, bottom, right; default: half of the kernel. */
  readonly padding?: number | readonly [number, number, number, number];
  /** float32 [B or 1, outChannels], added to each pixel: a resnet's time embedding. */
  readonly sampleBias?: Tensor | undefined;
}

export interface Conv2dOptions extends ConvolveOptions {
  /** Height and width of the kernel; default 3. */
  readonly kernelSize?: number;
  readonly bias?: boolean;
}

/** 2-D convolution, channels last: x [B, H, W, I] → [B, Ho, Wo, outChannels]. */
export function conv2d(
  weights: Weights,
  x: Tensor,
  outChannels: number,
  {kernelSize = 3, bias = true, ...options}: Conv2dOptions = {},
): Tensor {
  return scoped(weights.path, () =>
    convolve(
      x,
      weights.tensor('weight', [outChannels, x.dim(3), kernelSize, kernelSize]),
      bias ? vector(weights, 'bias', outChannels) : undefined,
      options,
    ),
  );
}

/** As {@link conv2d}, with its weight [O, I, k, k] and its bias float32 [O] as tensors, whatever they come from. */
export function convolve(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  {stride = 1, padding = weight.dim(2) >> 1, sampleBias}: ConvolveOptions = {},
): Tensor {
  const packed = ops.packConv2d({weight}, {dtype: x.dtype, algorithm: 'direct'});
  return ops.conv2d(
    {x, weight: packed, bias, sample_bias: sampleBias},
    {
      stride,
      padding: typeof padding === 'number' ? [padding, padding, padding, padding] : padding,
      upsample_height: 0,
      upsample_width: 0,
      activation: 'none',
      algorithm: 'direct',
    },
  );
}

/** Layer normalisation over the last axis. */
export function layerNorm(weights: Weights, x: Tensor, epsilon = 1e-5): Tensor {
  return scoped(weights.path, () => {
    const channels = x.dim(-1);
    return ops.layerNorm(
      {x, scale: vector(weights, 'weight', channels), shift: vector(weights, 'bias', channels)},
      {epsilon, dtype: x.dtype},
    );
  });
}

/** Group normalisation of x [B, ..., C]. */
export function groupNorm(
  weights: Weights,
  x: Tensor,
  {groups, epsilon}: {readonly groups: number; readonly epsilon: number},
): Tensor {
  return scoped(weights.path, () => {
    const channels = x.dim(-1);
    const [scale, shift] = [vector(weights, 'weight', channels), vector(weights, 'bias', channels)];
    return ops.groupNorm({x, scale, shift}, {groups, epsilon, activation: 'none'});
  });
}

/** Rows of the table `weight` [rows, channels]: ids int32 [...] → [..., channels] of `dtype`. */
export function embedding(
  weights: Weights,
  ids: Tensor,
  {rows, channels, dtype}: {readonly rows: number; readonly channels: number; readonly dtype: DType},
): Tensor {
  return scoped(weights.path, () =>
    ops.embedding({table: weights.tensor('weight', [rows, channels]), ids}, {dtype}),
  );
}

/** x·σ(x). */
export function silu(x: Tensor): Tensor {
  return ops.unary({x}, {kind: 'silu'});
}

/** a + b, broadcast. */
export function add(a: Tensor, b: Tensor): Tensor {
  return ops.binary({a, b}, {kind: 'add'});
}

/** Pictures [B, H, W, C] as tokens [B, H·W, C]: a view. */
export function toTokens(x: Tensor): Tensor {
  return ops.reshape({x}, {shape: [x.dim(0), x.dim(1) * x.dim(2), x.dim(3)]});
}

/** Tokens [B, H·W, C] as pictures [B, H, W, C]: a view. */
export function toPicture(x: Tensor, height: number, width: number): Tensor {
  return ops.reshape({x}, {shape: [x.dim(0), height, width, x.dim(2)]});
}
