import {linearCombination} from './linear-combination.ts';

/** What the model was trained to predict. */
export const predictionTypes = ['epsilon', 'v_prediction', 'sample'] as const;
export type PredictionType = (typeof predictionTypes)[number];

/** A noisy sample is `alpha * original + sigma * noise`. */
export interface NoiseLevel {
  readonly alpha: number;
  readonly sigma: number;
}

/** The noise level at a training timestep whose cumulative product of alphas is given (DDPM, equation 4). */
export function noiseLevelOf(alphaCumprod: number): NoiseLevel {
  return {alpha: Math.sqrt(alphaCumprod), sigma: Math.sqrt(1 - alphaCumprod)};
}

/**
 * The original sample that a model's output stands for.
 *
 * Of a variance-preserving sample (alpha² + sigma² = 1) the velocity is `v = alpha * noise - sigma *
 * original` (Salimans and Ho 2022, appendix D). Other samples are such a sample times `norm`.
 */
export function predictOriginalSample(
  predictionType: PredictionType,
  {alpha, sigma}: NoiseLevel,
  modelOutput: Float32Array,
  sample: Float32Array,
): Float32Array {
  switch (predictionType) {
    case 'epsilon':
      return linearCombination([1 / alpha, sample], [-sigma / alpha, modelOutput]);
    case 'v_prediction': {
      const norm = Math.hypot(alpha, sigma);
      return linearCombination([alpha / norm ** 2, sample], [-sigma / norm, modelOutput]);
    }
    case 'sample':
      return modelOutput;
  }
}

/** The noise that a model's output stands for, in a variance-preserving sample. */
export function predictNoise(
  predictionType: PredictionType,
  {alpha, sigma}: NoiseLevel,
  modelOutput: Float32Array,
  sample: Float32Array,
): Float32Array {
  switch (predictionType) {
    case 'epsilon':
      return modelOutput;
    case 'v_prediction':
      return linearCombination([alpha, modelOutput], [sigma, sample]);
    case 'sample':
      return linearCombination([1 / sigma, sample], [-alpha / sigma, modelOutput]);
  }
}

/** Limits each element to `-range` … `range`. */
export function clampSample(sample: Float32Array, range: number): Float32Array {
  return sample.map(value => Math.min(Math.max(value, -range), range));
}
