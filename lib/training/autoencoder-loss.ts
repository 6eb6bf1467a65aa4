/**
 * The objective of a KL autoencoder (Kingma & Welling 2014, eq. 10; Rombach et al. 2022, §3.1, without the perceptual and
 * adversarial parts, which need further networks): squared errors of the pixels, and a small weight on how far latents are from
 * unit normal.
 */
import {affine, binary, reduceSum, unary} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {type AutoencoderKLConfig, vaeDecode, vaeEncode} from '../models/autoencoder-kl.ts';
import type {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {Loss} from './state-gradients.ts';

/** All float32. */
export type AutoencoderBatch = {
  /** [B, 3, H, W], from -1 to 1. */
  readonly image: Tensor;
  /** [B, latentChannels, h, w]: unit normal, from which latents are drawn. */
  readonly noise: Tensor;
};

export interface AutoencoderLossOptions {
  /** Of the divergence of all of a picture's latents, beside the errors of all of its values. */
  readonly klWeight: number;
  readonly dtype: ComputeDType;
}

/**
 * To be called while tracing: the mean over a picture's values, [1, 1, 1, 1].
 *
 * @param weights of each half: the same, or those of an encoder that is not trained
 */
export function autoencoderLoss(
  weights: Readonly<Record<'encoder' | 'decoder', Weights>>,
  config: AutoencoderKLConfig,
  {image, noise}: AutoencoderBatch,
  {klWeight, dtype}: AutoencoderLossOptions,
): Loss {
  const {mean, logvar} = vaeEncode(weights.encoder, config, {image}, dtype);
  const deviation = unary({x: affine({x: logvar}, {scale: 0.5, offset: 0})}, {kind: 'exp'});
  const latents = binary({a: mean, b: binary({a: deviation, b: noise}, {kind: 'multiply'})}, {kind: 'add'});
  const difference = binary(
    {a: vaeDecode(weights.decoder, config, {latents}, dtype), b: image},
    {kind: 'subtract'},
  );
  const total = binary(
    {
      a: sum(square(difference)),
      b: affine({x: divergence(mean, logvar, deviation)}, {scale: klWeight, offset: 0}),
    },
    {kind: 'add'},
  );
  return {loss: affine({x: total}, {scale: 1 / image.size, offset: 0})};
}

/** The Kullback-Leibler divergence from unit normal, Σ (mean² + variance - 1 - ln variance) / 2. */
function divergence(mean: Tensor, logvar: Tensor, deviation: Tensor): Tensor {
  const excess = binary({a: square(deviation), b: logvar}, {kind: 'subtract'});
  const doubled = binary({a: square(mean), b: affine({x: excess}, {scale: 1, offset: -1})}, {kind: 'add'});
  return affine({x: sum(doubled)}, {scale: 0.5, offset: 0});
}

function square(x: Tensor): Tensor {
  return binary({a: x, b: x}, {kind: 'multiply'});
}

function sum(x: Tensor): Tensor {
  return reduceSum({x}, {shape: [1, 1, 1, 1], dtype: 'float32'});
}
