/**
 * What a UNet learns from: pictures as latents, with noise added (Ho et al. 2020, algorithm 1).
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import type {Autoencoder} from '../../pipelines/components/autoencoder.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import {drawLatents} from '../../pipelines/initial-latents.ts';
import type {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {diffusionTarget, minSnrWeight, type TrainedPrediction} from '../diffusion-loss.ts';
import {encodeTargets} from './encode-pictures.ts';
import type {PreparedPicture} from './prepare-pictures.ts';

export interface NoiseOptions extends RunOptions {
  readonly alphasCumprod: Float32Array;
  readonly predictionType: TrainedPrediction;
  /** γ of min-SNR weighting; without it errors are not weighted. */
  readonly minSnrGamma?: number | undefined;
}

export interface NoisySample {
  readonly target: PreparedPicture;
  readonly choices: {readonly timestep: number};
  /** Draws the posterior of the latents, then the noise. */
  readonly generator: TorchGenerator;
}

export interface NoisyLatents {
  /** [B, C, h, w] */
  readonly noisy: HostTensor;
  /** [B, C, h, w]: what is to be predicted of them. */
  readonly target: HostTensor;
  /** [B] */
  readonly timesteps: HostTensor;
  /** [B, 1, 1, 1]: weight of each sample's error. */
  readonly weights: HostTensor;
}

/** @throws FileError where the cache cannot be written */
export async function noisyLatents(
  vae: Autoencoder,
  samples: readonly NoisySample[],
  options: NoiseOptions,
): Promise<NoisyLatents> {
  const {alphasCumprod, predictionType, minSnrGamma} = options;
  const noisy: HostTensor[] = [];
  const targets: HostTensor[] = [];
  const weights: number[] = [];
  const posteriors = await encodeTargets(
    vae,
    samples.map(({target}) => target),
    options,
  );
  for (const [index, {choices, generator}] of samples.entries()) {
    const posterior = posteriors[index]!;
    const {shape} = posterior.mean;
    const latents = drawLatents(posterior, generator);
    const noise = generator.randn(shape);
    const alpha = alphasCumprod[choices.timestep]!;
    const made = diffusionTarget(latents, noise, alpha, predictionType);
    noisy.push({shape, data: made.noisy});
    targets.push({shape, data: made.target});
    weights.push(minSnrGamma === undefined ? 1 : minSnrWeight(alpha, minSnrGamma, predictionType));
  }
  const count = samples.length;
  return {
    noisy: stackRows(noisy),
    target: stackRows(targets),
    timesteps: {shape: [count], data: Float32Array.from(samples, ({choices}) => choices.timestep)},
    weights: {shape: [count, 1, 1, 1], data: Float32Array.from(weights)},
  };
}
