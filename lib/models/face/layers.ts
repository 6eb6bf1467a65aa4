/**
 * Layers of face-api's networks, made of the ops that diffusion models have. Kernels lie in the files as TensorFlow has them,
 * [kh, kw, in, out]; what is made of weights alone is prepared once.
 */
import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {scoped} from '../../graph/trace.ts';
import {add, type ConvolveOptions, convolve, silu, vector} from '../../nn/layers.ts';
import type {Weights} from '../../nn/weights.ts';

export interface ConvOptions extends ConvolveOptions {
  /** Height and width of the kernel; default 3. */
  readonly kernelSize?: number;
}

/** Convolution: x [B, H, W, I] → [B, Ho, Wo, outChannels]. */
export function conv2d(
  weights: Weights,
  x: Tensor,
  outChannels: number,
  {kernelSize = 3, ...options}: ConvOptions = {},
): Tensor {
  return scoped(weights.path, () => {
    const kernel = kernelOf(weights, 'filters', [kernelSize, kernelSize, x.dim(3), outChannels]);
    return convolve(x, kernel, vector(weights, 'bias', outChannels), options);
  });
}

/**
 * Convolution of each channel by itself with 3x3 weights, then of all channels with 1x1: x [B, H, W, I] → [B, Ho, Wo,
 * outChannels]. As nothing stands between the two they are one convolution, whose kernel is the product of both: nine times
 * the arithmetic, which networks of this size can bear, and no op of its own.
 */
export function separableConv2d(
  weights: Weights,
  x: Tensor,
  outChannels: number,
  options: ConvolveOptions = {},
): Tensor {
  return scoped(weights.path, () => {
    const channels = x.dim(3);
    const depthwise = kernelOf(weights, 'depthwise_filter', [3, 3, channels, 1]);
    const pointwise = kernelOf(weights, 'pointwise_filter', [1, 1, channels, outChannels]);
    return convolve(x, multiply(pointwise, depthwise), vector(weights, 'bias', outChannels), options);
  });
}

/** Convolution, then a factor and an offset for each channel, both of which go into the kernel and the bias. */
export function scaledConv2d(
  weights: Weights,
  x: Tensor,
  outChannels: number,
  {kernelSize = 3, ...options}: ConvOptions = {},
): Tensor {
  return scoped(weights.path, () => {
    const [conv, scale] = [weights.at('conv'), weights.at('scale')];
    const kernel = kernelOf(conv, 'filters', [kernelSize, kernelSize, x.dim(3), outChannels]);
    const factors = vector(scale, 'weights', outChannels);
    const bias = add(
      multiply(vector(conv, 'bias', outChannels), factors),
      vector(scale, 'biases', outChannels),
    );
    return convolve(
      x,
      multiply(kernel, ops.reshape({x: factors}, {shape: [outChannels, 1, 1, 1]})),
      bias,
      options,
    );
  });
}

/** x·W + b: x [B, K] → [B, N], W [K, N]. */
export function dense(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const packed = ops.packLinear({weight}, {dtype: x.dtype, glu: false, transposed: true});
  return ops.linear({x, weight: packed, bias}, {activation: 'none'});
}

/** A kernel [kh, kw, in, out] as [out, in, kh, kw]. */
function kernelOf(weights: Weights, name: string, shape: readonly number[]): Tensor {
  return ops.transpose({x: weights.tensor(name, shape)}, {permutation: [3, 2, 0, 1]});
}

/** So steep that what {@link relu} is off by, below 0.3 / steepness, is lost in float32; a power of two, so that it is exact. */
const steepness = 2 ** 40;

/** max(x, 0), as silu(s·x) / s for a large s. */
export function relu(x: Tensor): Tensor {
  return scaled(silu(scaled(x, steepness)), 1 / steepness);
}

/** x where it is positive, 0.1·x elsewhere. */
export function leakyRelu(x: Tensor): Tensor {
  return add(scaled(x, 0.1), scaled(relu(x), 0.9));
}

export interface MaxPoolOptions {
  /** Height and width of the windows. */
  readonly size: number;
  readonly stride: number;
  /** Whether windows may reach beyond the picture, at its end; else those that would are left out. */
  readonly padded: boolean;
}

/** Largest of each channel in windows of a picture: x [B, H, W, C] → [B, Ho, Wo, C]. */
export function maxPool(x: Tensor, options: MaxPoolOptions): Tensor {
  return maxAlong(maxAlong(x, 1, options), 2, options);
}

function maxAlong(x: Tensor, axis: number, {size, stride, padded}: MaxPoolOptions): Tensor {
  const extent = x.dim(axis);
  const length = padded ? Math.ceil(extent / stride) : Math.floor((extent - size) / stride) + 1;
  const extended = repeatLast(x, axis, size - 1 + length * stride - extent);
  return Array.from({length: size}, (_, start) => ops.everyNth(extended, axis, start, length, stride)).reduce(
    maximum,
  );
}

/** The last element of an axis again, `count` times: it changes no maximum. */
function repeatLast(x: Tensor, axis: number, count: number): Tensor {
  if (count <= 0) return x;
  const last = ops.slice({x}, {axis, start: x.dim(axis) - 1, length: 1});
  return ops.concat({parts: [x, ...Array<Tensor>(count).fill(last)]}, {axis});
}

/** max(a, b) */
function maximum(a: Tensor, b: Tensor): Tensor {
  return add(a, relu(ops.binary({a: b, b: a}, {kind: 'subtract'})));
}

/** Means of 2x2 pixels, an odd last row or column left out: x [B, H, W, C] → [B, ⌊H/2⌋, ⌊W/2⌋, C]. */
export function halve(x: Tensor): Tensor {
  const [samples, height, width, channels] = [x.dim(0), x.dim(1) >> 1, x.dim(2) >> 1, x.dim(3)];
  const even = [1, 2].reduce(
    (part, axis) => ops.slice({x: part}, {axis, start: 0, length: 2 * (x.dim(axis) >> 1)}),
    x,
  );
  const pairs = ops.reshape({x: even}, {shape: [samples, height, 2, width, 2, channels]});
  const sums = ops.reduceSum({x: pairs}, {shape: [samples, height, 1, width, 1, channels], dtype: x.dtype});
  return scaled(ops.reshape({x: sums}, {shape: [samples, height, width, channels]}), 1 / 4);
}

/** Means over all pixels: x [B, H, W, C] → [B, C]. */
export function meanOfPixels(x: Tensor): Tensor {
  const [samples, height, width, channels] = x.shape as [number, number, number, number];
  const sums = ops.reduceSum({x}, {shape: [samples, 1, 1, channels], dtype: x.dtype});
  return scaled(ops.reshape({x: sums}, {shape: [samples, channels]}), 1 / (height * width));
}

function scaled(x: Tensor, scale: number): Tensor {
  return ops.affine({x}, {scale, offset: 0});
}

/** a·b, broadcast. */
function multiply(a: Tensor, b: Tensor): Tensor {
  return ops.binary({a, b}, {kind: 'multiply'});
}
