/**
 * CLIP's objective (Radford et al. 2021, fig. 3): of a batch's pictures and texts, those that belong together are to be
 * told from all others.
 */
import {affine, binary, linear, packLinear, reduceSum, reshape, unary} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {type ClipTextConfig, clipTextEmbeds} from '../models/clip-text.ts';
import {type ClipVisionConfig, clipVisionEmbeds} from '../models/clip-vision.ts';
import type {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {Loss} from './state-gradients.ts';

export interface ClipConfig {
  /** Both of one `projectionDim`. */
  readonly text: ClipTextConfig;
  readonly vision: ClipVisionConfig;
}

export type ClipBatch = {
  /** float32 [B, 3, imageSize, imageSize] */
  readonly pixelValues: Tensor;
  /** int32 [B, N] */
  readonly inputIds: Tensor;
  /** int32 [B] */
  readonly endIndices: Tensor;
};

/** What CLIP's training begins with (§2.5); CLIP learns it from there. */
const inverseTemperature = 1 / 0.07;

/** To be called while tracing: the loss of both towers, float32 [1, 1]. */
export function clipLoss(
  weights: Weights,
  {text, vision}: ClipConfig,
  {pixelValues, inputIds, endIndices}: ClipBatch,
  dtype: ComputeDType,
): Loss {
  const images = clipVisionEmbeds(weights, vision, {pixelValues}, dtype);
  const texts = clipTextEmbeds(weights, text, {inputIds, endIndices}, dtype);
  return {loss: contrastiveLoss(images, texts, inverseTemperature)};
}

/**
 * The mean of both cross-entropies, of a picture's text among all and of a text's picture: float32 [1, 1].
 *
 * @param images float32 [B, D], of any length
 * @param texts float32 [B, D], of any length; row i belongs to picture i
 * @param scale of cosines, the inverse temperature: below 40, for that exponentials of their differences stay finite
 */
export function contrastiveLoss(images: Tensor, texts: Tensor, scale: number): Tensor {
  const batch = images.dim(0);
  const scaled = affine({x: unitRows(images)}, {scale, offset: 0});
  const units = unitRows(texts);
  const logits = linear(
    {x: scaled, weight: packLinear({weight: units}, {dtype: 'float32', glu: false, transposed: false})},
    {activation: 'none'},
  );
  const own = reduceSum({x: multiply(scaled, units)}, {shape: [batch, 1], dtype: 'float32'});
  const total = binary(
    {a: crossEntropies(logits, own), b: crossEntropies(logits, reshape({x: own}, {shape: [1, batch]}))},
    {kind: 'add'},
  );
  return affine({x: total}, {scale: 0.5 / batch, offset: 0});
}

/**
 * The sum of ln Σ exp(logits - own), the inner sum over the axis that `own` has 1 for: cross-entropies, of which `own` are
 * the logits of the right answers.
 */
function crossEntropies(logits: Tensor, own: Tensor): Tensor {
  const differences = binary({a: logits, b: own}, {kind: 'subtract'});
  const sums = reduceSum({x: unary({x: differences}, {kind: 'exp'})}, {shape: own.shape, dtype: 'float32'});
  return reduceSum({x: unary({x: sums}, {kind: 'log'})}, {shape: [1, 1], dtype: 'float32'});
}

/** Rows of length 1. */
function unitRows(x: Tensor): Tensor {
  const squares = reduceSum({x: multiply(x, x)}, {shape: [x.dim(0), 1], dtype: 'float32'});
  return multiply(x, unary({x: squares}, {kind: 'rsqrt'}));
}

function multiply(a: Tensor, b: Tensor): Tensor {
  return binary({a, b}, {kind: 'multiply'});
}
