import {z} from 'zod';
import {linearCombination, type Term} from './linear-combination.ts';
import {type NoiseLevel, predictOriginalSample} from './prediction.ts';
import {Scheduler, type SchedulerSettings} from './scheduler.ts';
import {commonFields, linspaceByDefault, only, rescaleBetasZeroSnr} from './scheduler-config.ts';
import {
  finalSigmasTypes,
  interpolateSigmas,
  karrasSigmas,
  keepLastSigmaFinite,
  sigmasToTimesteps,
  trainingSigmas,
  withFinalSigma,
} from './sigmas.ts';
import {roundHalfEven, spaceTimesteps} from './timestep-spacing.ts';

/** What the configurations of DPM-Solver++ and UniPC share. */
export const lambdaFields = {
  ...commonFields,
  timestepSpacing: linspaceByDefault,
  rescaleBetasZeroSnr,
  solverOrder: only(2),
  thresholding: only(false),
  useKarrasSigmas: z.boolean().default(false),
  useExponentialSigmas: only(false),
  useBetaSigmas: only(false),
  useFlowSigmas: only(false),
  useDynamicShifting: only(false),
  finalSigmasType: z.enum(finalSigmasTypes).default('zero'),
};

const settingsSchema = z.object(lambdaFields);
export type LambdaSchedulerSettings = SchedulerSettings & z.output<typeof settingsSchema>;

/**
 * A scheduler of variance-preserving samples whose steps are even in lambda, the logarithm of alpha / sigma,
 * and which extrapolates the predicted original: DPM-Solver++ and UniPC.
 */
export abstract class LambdaScheduler extends Scheduler {
  readonly #settings: LambdaSchedulerSettings;
  readonly #trainSigmas: Float32Array;
  /** Noise over image at each timestep, and at the last step's end. */
  #sigmas: Float32Array = new Float32Array();

  constructor(settings: LambdaSchedulerSettings) {
    super(settings);
    this.#settings = settings;
    if (settings.rescaleBetasZeroSnr) keepLastSigmaFinite(this.alphasCumprod);
    this.#trainSigmas = trainingSigmas(this.alphasCumprod);
  }

  protected override layOut(numInferenceSteps: number): readonly number[] {
    const {finalSigmasType} = this.#settings;
    const trainSigmas = this.#trainSigmas;
    if (this.#settings.useKarrasSigmas) {
      const sigmas = karrasSigmas(trainSigmas.at(-1)!, trainSigmas[0]!, numInferenceSteps);
      this.#sigmas = withFinalSigma(sigmas, finalSigmasType, trainSigmas);
      return sigmasToTimesteps(sigmas, trainSigmas).map(timestep => this.roundKarrasTimestep(timestep));
    }
    const timesteps = this.#spaceTimesteps(numInferenceSteps);
    this.#sigmas = withFinalSigma(interpolateSigmas(timesteps, trainSigmas), finalSigmasType, trainSigmas);
    return timesteps;
  }

  /** The last step ends before the first training timestep, so one more is laid out but for `trailing`. */
  #spaceTimesteps(numInferenceSteps: number): number[] {
    return this.#settings.timestepSpacing === 'trailing'
      ? spaceTimesteps(this.#settings, numInferenceSteps, roundHalfEven)
      : spaceTimesteps(this.#settings, numInferenceSteps + 1, roundHalfEven).slice(0, -1);
  }

  protected roundKarrasTimestep(timestep: number): number {
    return roundHalfEven(timestep);
  }

  /** At `timesteps.length`: the end of the last step. */
  protected override noiseLevel(stepIndex: number): NoiseLevel {
    const sigma = this.#sigmas[stepIndex]!;
    const norm = Math.hypot(1, sigma);
    return {alpha: 1 / norm, sigma: sigma / norm};
  }

  /** log(alpha / sigma) at a step; infinite where there is no noise. */
  protected lambda(stepIndex: number): number {
    return -Math.log(this.#sigmas[stepIndex]!);
  }

  protected predictOriginal(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
  ): Float32Array {
    return predictOriginalSample(this.predictionType, this.noiseLevel(stepIndex), modelOutput, sample);
  }

  /**
   * The original to step towards: the latest predicted one, extrapolated half a step along the line through
   * the one before where there is one (Lu et al. 2022, "DPM-Solver++", algorithm 2).
   */
  protected extrapolate(
    stepIndex: number,
    original: Float32Array,
    before: Float32Array | undefined,
  ): Float32Array {
    if (before === undefined) return original;
    const step = this.lambda(stepIndex + 1) - this.lambda(stepIndex);
    const stepBefore = this.lambda(stepIndex) - this.lambda(stepIndex - 1);
    const half = step / stepBefore / 2;
    return linearCombination([1 + half, original], [-half, before]);
  }

  /**
   * The exact solution (proposition 4.1 of DPM-Solver++) for a constant original: `sigmaNext / sigma x +
   * alphaNext (1 - exp(-h)) original`.
   */
  protected exactTerms(
    stepIndex: number,
    sample: Float32Array,
    original: Float32Array,
  ): readonly [Term, Term] {
    const next = this.noiseLevel(stepIndex + 1);
    const h = this.lambda(stepIndex + 1) - this.lambda(stepIndex);
    return [
      [next.sigma / this.noiseLevel(stepIndex).sigma, sample],
      [-next.alpha * Math.expm1(-h), original],
    ];
  }
}
