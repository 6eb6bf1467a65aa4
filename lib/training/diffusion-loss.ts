/**
 * The objective of diffusion models (Ho et al. 2020, eq. 14; Salimans & Ho 2022, appendix D for v).
 */
import {ArgumentError} from '../errors.ts';
import {affine, binary, reduceSum} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {linearCombination} from '../schedulers/linear-combination.ts';
import {noiseLevelOf, type PredictionType} from '../schedulers/prediction.ts';

/** What the model predicts of a noisy sample: its noise, or v = √ᾱ·noise - √(1 - ᾱ)·sample. */
export type TrainedPrediction = Exclude<PredictionType, 'sample'>;

/** @throws ArgumentError for a model that predicts the sample itself */
export function trainedPrediction(type: PredictionType): TrainedPrediction {
  if (type !== 'sample') return type;
  throw new ArgumentError(
    "predictionType: expected 'epsilon' or 'v_prediction', got 'sample'. Such a base model cannot be trained on here.",
  );
}

export interface DiffusionTarget {
  /** √ᾱ·sample + √(1 - ᾱ)·noise */
  readonly noisy: Float32Array;
  readonly target: Float32Array;
}

/**
 * A noisy sample and what the model is to predict of it.
 *
 * @param alphaCumprod ᾱ of the sample's timestep
 */
export function diffusionTarget(
  sample: Float32Array,
  noise: Float32Array,
  alphaCumprod: number,
  predictionType: TrainedPrediction,
): DiffusionTarget {
  if (sample.length !== noise.length) {
    throw new ArgumentError(
      `diffusionTarget: expected noise of ${sample.length} elements, as the sample; got ${noise.length}.`,
    );
  }
  const {alpha, sigma} = noiseLevelOf(alphaCumprod);
  return {
    noisy: linearCombination([alpha, sample], [sigma, noise]),
    target: predictionType === 'epsilon' ? noise : linearCombination([alpha, noise], [-sigma, sample]),
  };
}

/**
 * Min-SNR-γ weight of a sample's error (Hang et al. 2023, Efficient Diffusion Training via Min-SNR Weighting, §3.4).
 *
 * @param gamma γ; the paper takes 5
 */
export function minSnrWeight(alphaCumprod: number, gamma: number, predictionType: TrainedPrediction): number {
  const snr = alphaCumprod / (1 - alphaCumprod);
  const clipped = Math.min(snr, gamma);
  return predictionType === 'epsilon' ? clipped / snr : clipped / (snr + 1);
}

export type DiffusionLoss = {
  /** float32 [1]: the weighted mean over the batch. */
  readonly loss: Tensor;
  /** float32 [B]: mean squared error of each sample, unweighted. */
  readonly errors: Tensor;
};

/**
 * @param prediction float32 [B, C, h, w]
 * @param target of the same type
 * @param weights float32 [B, 1, 1, 1]: of each sample's error; 1 for a plain mean
 */
export function diffusionLoss(prediction: Tensor, target: Tensor, weights: Tensor): DiffusionLoss {
  const difference = binary({a: prediction, b: target}, {kind: 'subtract'});
  const squares = binary({a: difference, b: difference}, {kind: 'multiply'});
  const samples = prediction.dim(0);
  const elements = prediction.size / samples;
  const sums = reduceSum({x: squares}, {shape: [samples, 1, 1, 1], dtype: 'float32'});
  const errors = affine({x: sums}, {scale: 1 / elements, offset: 0});
  const weighted = binary({a: errors, b: weights}, {kind: 'multiply'});
  const total = reduceSum({x: weighted}, {shape: [1, 1, 1, 1], dtype: 'float32'});
  return {loss: affine({x: total}, {scale: 1 / samples, offset: 0}), errors};
}
