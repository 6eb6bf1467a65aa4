import {z} from 'zod';
import {linearCombination} from './linear-combination.ts';
import {clampSample, predictOriginalSample} from './prediction.ts';
import {
  commonFields,
  linspaceByDefault,
  only,
  parseConfig,
  type SchedulerConfig,
} from './scheduler-config.ts';
import {SigmaScheduler} from './sigma-scheduler.ts';

const schema = z.object({
  ...commonFields,
  betaStart: commonFields.betaStart.unwrap().default(0.00085),
  betaEnd: commonFields.betaEnd.unwrap().default(0.012),
  timestepSpacing: linspaceByDefault,
  useKarrasSigmas: z.boolean().default(false),
  useExponentialSigmas: only(false),
  useBetaSigmas: only(false),
  clipSample: z.boolean().default(false),
  clipSampleRange: z.number().positive().default(1),
});

/**
 * Karras et al. 2022, algorithm 1. Every inference step but the last has two entries in `timesteps`:
 * an Euler step, then, at the next timestep, the same step again with the mean of both derivatives.
 */
export class HeunDiscreteScheduler extends SigmaScheduler {
  override readonly order = 2;
  readonly #config: z.output<typeof schema>;
  /** Where the Euler step began and its derivative, until the step is made again. */
  #eulerStep: {readonly sample: Float32Array; readonly derivative: Float32Array} | undefined;

  constructor(config: SchedulerConfig = {}) {
    const settings = parseConfig('HeunDiscreteScheduler', schema, config);
    super(settings);
    this.#config = settings;
  }

  protected override layOut(numInferenceSteps: number): readonly number[] {
    const [first, ...others] = super.layOut(numInferenceSteps);
    return [first!, ...others.flatMap(timestep => [timestep, timestep])];
  }

  protected override forget(): void {
    this.#eulerStep = undefined;
  }

  protected override sigmaAt(stepIndex: number): number {
    return this.sigmas[Math.ceil(stepIndex / 2)]!;
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
  ): Float32Array {
    const sigma = this.sigmaAt(stepIndex);
    const derivative = this.#derivative(modelOutput, sigma, sample);
    const eulerStep = this.#eulerStep;
    if (eulerStep === undefined) {
      this.#eulerStep = {sample, derivative};
      return linearCombination([1, sample], [this.sigmaAt(stepIndex + 1) - sigma, derivative]);
    }
    this.#eulerStep = undefined;
    const half = (sigma - this.sigmaAt(stepIndex - 1)) / 2;
    return linearCombination([1, eulerStep.sample], [half, eulerStep.derivative], [half, derivative]);
  }

  /** dx/dsigma, `(x - x0) / sigma`. */
  #derivative(modelOutput: Float32Array, sigma: number, sample: Float32Array): Float32Array {
    const {predictionType, clipSample, clipSampleRange} = this.#config;
    const predicted = predictOriginalSample(predictionType, {alpha: 1, sigma}, modelOutput, sample);
    const original = clipSample ? clampSample(predicted, clipSampleRange) : predicted;
    return linearCombination([1 / sigma, sample], [-1 / sigma, original]);
  }
}
