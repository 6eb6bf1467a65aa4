import {z} from 'zod';
import {invalidArgument} from '../errors.ts';
import {AlphaScheduler} from './alpha-scheduler.ts';
import {linearCombination} from './linear-combination.ts';
import {clampSample, noiseLevelOf, predictOriginalSample} from './prediction.ts';
import type {NoiseSource} from './scheduler.ts';
import {
  commonFields,
  only,
  parseConfig,
  rescaleBetasZeroSnr,
  type SchedulerConfig,
} from './scheduler-config.ts';

const schema = z.object({
  ...commonFields,
  betaStart: commonFields.betaStart.unwrap().default(0.00085),
  betaEnd: commonFields.betaEnd.unwrap().default(0.012),
  betaSchedule: commonFields.betaSchedule.unwrap().default('scaled_linear'),
  rescaleBetasZeroSnr,
  /** How many evenly spaced timesteps the model was distilled on; those of inference are taken from them. */
  originalInferenceSteps: z.int().positive().default(50),
  clipSample: z.boolean().default(false),
  clipSampleRange: z.number().positive().default(1),
  thresholding: only(false),
  timestepScaling: z.number().positive().default(10),
});

/** The standard deviation of the data that the boundary condition assumes. */
const sigmaData = 0.5;

/**
 * Luo et al. 2023, "Latent Consistency Models": denoises wholly in each step and, but in the last, adds fresh
 * noise. The timestep spacing is the distillation's own.
 */
export class LCMScheduler extends AlphaScheduler {
  readonly #config: z.output<typeof schema>;

  constructor(config: SchedulerConfig = {}) {
    const settings = parseConfig('LCMScheduler', schema, config);
    super(settings, true);
    this.#config = settings;
    if (settings.originalInferenceSteps > this.numTrainTimesteps) {
      const expected = `at most numTrainTimesteps (${this.numTrainTimesteps})`;
      throw invalidArgument('originalInferenceSteps', expected, settings.originalInferenceSteps);
    }
  }

  protected override placeTimesteps(numInferenceSteps: number): number[] {
    const {originalInferenceSteps} = this.#config;
    if (numInferenceSteps > originalInferenceSteps) {
      const expected = `at most originalInferenceSteps (${originalInferenceSteps})`;
      throw invalidArgument('numInferenceSteps', expected, numInferenceSteps);
    }
    const spacing = Math.floor(this.numTrainTimesteps / originalInferenceSteps);
    const skip = originalInferenceSteps / numInferenceSteps;
    return Array.from(
      {length: numInferenceSteps},
      (_, i) => (originalInferenceSteps - Math.floor(i * skip)) * spacing - 1,
    );
  }

  /**
   * Algorithm 3; `c_skip x + c_out x0` is the boundary condition of Song et al. 2023, "Consistency Models".
   */
  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise: NoiseSource,
  ): Float32Array {
    const {predictionType, clipSample, clipSampleRange, timestepScaling} = this.#config;
    const predicted = predictOriginalSample(predictionType, this.noiseLevel(stepIndex), modelOutput, sample);
    const original = clipSample ? clampSample(predicted, clipSampleRange) : predicted;

    const scaledTimestep = this.timesteps[stepIndex]! * timestepScaling;
    const norm = Math.hypot(scaledTimestep, sigmaData);
    const skip = (sigmaData / norm) ** 2;
    const out = scaledTimestep / norm;
    const denoised = linearCombination([out, original], [skip, sample]);

    const timestepNext = this.timesteps[stepIndex + 1];
    if (timestepNext === undefined) return denoised;
    const {alpha, sigma} = noiseLevelOf(this.alphasCumprod[timestepNext]!);
    return linearCombination([alpha, denoised], [sigma, noise()]);
  }
}
