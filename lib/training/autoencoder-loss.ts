/**
 * The objective of the autoencoder: pictures come back, and their latents stay near a unit normal (Kingma & Welling 2014,
 * eq. 10; Rombach et al. 2022, appendix G, "KL-reg", without its perceptual and adversarial parts).
 */
import {affine, binary, reduceSum, unary} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {type AutoencoderKLConfig, vaeDecode, vaeEncode} from '../models/autoencoder-kl.ts';
import type {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';

export type AutoencoderBatch = {
  /** float32 [B, inChannels, H, W], from -1 to 1. */
  readonly image: Tensor;
  /** float32 [B, latentChannels, h, w]: unit normal, what the posterior is sampled with. */
  readonly noise: Tensor;
};

/** Each float32 [1, 1, 1, 1]. */
export type AutoencoderLoss = {
  /** reconstruction + klWeight · divergence */
  readonly loss: Tensor;
  /** Mean squared error of a picture's element. */
  readonly reconstruction: Tensor;
  /** Mean divergence of a latent element's distribution from the unit normal, in nats. */
  readonly divergence: Tensor;
};

/**
 * @param klWeight weight of the divergence; small, about 1e-4, so that it only keeps latents in bounds
 * @param dtype of products and activations
 */
export function autoencoderLoss(
  weights: Weights,
  config: AutoencoderKLConfig,
  {image, noise}: AutoencoderBatch,
  {klWeight, dtype}: {readonly klWeight: number; readonly dtype: ComputeDType},
): AutoencoderLoss {
  const {mean, logvar} = vaeEncode(weights, config, {image}, dtype);
  const deviation = unary({x: affine({x: logvar}, {scale: 0.5, offset: 0})}, {kind: 'exp'});
  const latents = add(mean, multiply(deviation, noise));
  const error = binary({a: vaeDecode(weights, config, {latents}, dtype), b: image}, {kind: 'subtract'});
  const reconstruction = meanOf(multiply(error, error));
  // ½ (μ² + σ² - 1 - ln σ²)
  const moments = add(multiply(mean, mean), unary({x: logvar}, {kind: 'exp'}));
  const excess = affine({x: binary({a: moments, b: logvar}, {kind: 'subtract'})}, {scale: 0.5, offset: -0.5});
  const divergence = meanOf(excess);
  const loss = add(reconstruction, affine({x: divergence}, {scale: klWeight, offset: 0}));
  return {loss, reconstruction, divergence};
}

function add(a: Tensor, b: Tensor): Tensor {
  return binary({a, b}, {kind: 'add'});
}

function multiply(a: Tensor, b: Tensor): Tensor {
  return binary({a, b}, {kind: 'multiply'});
}

function meanOf(x: Tensor): Tensor {
  const total = reduceSum({x}, {shape: [1, 1, 1, 1], dtype: 'float32'});
  return affine({x: total}, {scale: 1 / x.size, offset: 0});
}
