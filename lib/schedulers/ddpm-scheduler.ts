import {z} from 'zod';
import {AlphaScheduler} from './alpha-scheduler.ts';
import {linearCombination} from './linear-combination.ts';
import {clampSample, predictOriginalSample} from './prediction.ts';
import type {NoiseSource} from './scheduler.ts';
import {
  commonFields,
  leadingByDefault,
  only,
  parseConfig,
  rescaleBetasZeroSnr,
  type SchedulerConfig,
} from './scheduler-config.ts';
import {roundHalfEven, spaceTimesteps} from './timestep-spacing.ts';

const schema = z.object({
  ...commonFields,
  timestepSpacing: leadingByDefault,
  rescaleBetasZeroSnr,
  clipSample: z.boolean().default(true),
  clipSampleRange: z.number().positive().default(1),
  thresholding: only(false),
  /** The variance of equation 7 (in diffusers its `_log` form is the same number), or beta itself. */
  varianceType: z.enum(['fixed_small', 'fixed_small_log', 'fixed_large']).default('fixed_small'),
});

/**
 * Ho et al. 2020, "Denoising Diffusion Probabilistic Models". Draws noise in every step but that at timestep
 * 0.
 */
export class DDPMScheduler extends AlphaScheduler {
  readonly #config: z.output<typeof schema>;

  constructor(config: SchedulerConfig = {}) {
    const settings = parseConfig('DDPMScheduler', schema, config);
    super(settings, true);
    this.#config = settings;
  }

  protected override placeTimesteps(numInferenceSteps: number): number[] {
    return spaceTimesteps(this.#config, numInferenceSteps, roundHalfEven);
  }

  /**
   * Equations 6 and 7, with alphas and betas of an inference step, which spans several training timesteps.
   */
  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise: NoiseSource,
  ): Float32Array {
    const {clipSample, clipSampleRange, predictionType, varianceType} = this.#config;
    const timestep = this.timesteps[stepIndex]!;
    const alphaBar = this.alphaCumprodAt(timestep);
    const alphaBarPrev = this.alphaCumprodAt(this.timesteps[stepIndex + 1] ?? -1);
    const alpha = alphaBar / alphaBarPrev;
    const beta = 1 - alpha;

    const predicted = predictOriginalSample(predictionType, this.noiseLevel(stepIndex), modelOutput, sample);
    const original = clipSample ? clampSample(predicted, clipSampleRange) : predicted;

    const originalCoefficient = (Math.sqrt(alphaBarPrev) * beta) / (1 - alphaBar);
    const sampleCoefficient = (Math.sqrt(alpha) * (1 - alphaBarPrev)) / (1 - alphaBar);
    if (timestep === 0)
      return linearCombination([originalCoefficient, original], [sampleCoefficient, sample]);

    const smallVariance = Math.max(((1 - alphaBarPrev) / (1 - alphaBar)) * beta, 1e-20);
    const variance = varianceType === 'fixed_large' ? beta : smallVariance;
    return linearCombination(
      [originalCoefficient, original],
      [sampleCoefficient, sample],
      [Math.sqrt(variance), noise()],
    );
  }
}
