import {z} from 'zod';
import {AlphaScheduler} from './alpha-scheduler.ts';
import {linearCombination} from './linear-combination.ts';
import {clampSample, predictNoise, predictOriginalSample} from './prediction.ts';
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
  setAlphaToOne: z.boolean().default(true),
  clipSample: z.boolean().default(true),
  clipSampleRange: z.number().positive().default(1),
  thresholding: only(false),
  /** The share of noise: 0 is DDIM, 1 is DDPM's variance. An argument of `step` in diffusers. */
  eta: z.number().min(0).max(1).default(0),
});

/** Song et al. 2021, "Denoising Diffusion Implicit Models". Draws noise if `eta` is above 0. */
export class DDIMScheduler extends AlphaScheduler {
  readonly #config: z.output<typeof schema>;

  constructor(config: SchedulerConfig = {}) {
    const settings = parseConfig('DDIMScheduler', schema, config);
    super(settings, settings.setAlphaToOne);
    this.#config = settings;
  }

  protected override placeTimesteps(numInferenceSteps: number): number[] {
    return spaceTimesteps(this.#config, numInferenceSteps, roundHalfEven);
  }

  /** Equation 12: `x_prev = sqrt(a_prev) x0 + sqrt(1 - a_prev - s²) noise + s z`; s² by equation 16. */
  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise: NoiseSource,
  ): Float32Array {
    const {clipSample, clipSampleRange, eta, predictionType} = this.#config;
    const timestep = this.timesteps[stepIndex]!;
    const alpha = this.alphaCumprodAt(timestep);
    const alphaPrev = this.alphaCumprodAt(timestep - this.stepRatio);

    const level = this.noiseLevel(stepIndex);
    const predicted = predictOriginalSample(predictionType, level, modelOutput, sample);
    const original = clipSample ? clampSample(predicted, clipSampleRange) : predicted;
    const predictedNoise = predictNoise(predictionType, level, modelOutput, sample);

    const variance = eta ** 2 * ((1 - alphaPrev) / (1 - alpha)) * (1 - alpha / alphaPrev);
    const direction = Math.sqrt(1 - alphaPrev - variance);
    if (eta === 0) return linearCombination([Math.sqrt(alphaPrev), original], [direction, predictedNoise]);
    return linearCombination(
      [Math.sqrt(alphaPrev), original],
      [direction, predictedNoise],
      [Math.sqrt(variance), noise()],
    );
  }
}
