import {linearCombination} from './linear-combination.ts';
import type {NoiseLevel} from './prediction.ts';
import {Scheduler, type SchedulerSettings} from './scheduler.ts';
import {
  type FinalSigmasType,
  interpolateSigmas,
  karrasSigmas,
  keepLastSigmaFinite,
  sigmasToTimesteps,
  trainingSigmas,
  withFinalSigma,
} from './sigmas.ts';
import {spaceTimesteps, type TimestepSpacingConfig} from './timestep-spacing.ts';

export interface SigmaSchedulerSettings extends SchedulerSettings, TimestepSpacingConfig {
  readonly useKarrasSigmas?: boolean;
  readonly finalSigmasType?: FinalSigmasType;
}

/**
 * A scheduler whose samples are `original + sigma * noise` (Karras et al. 2022), so that a sample is scaled
 * before the model, which is trained on variance-preserving samples, sees it. Timesteps may be fractions.
 */
export abstract class SigmaScheduler extends Scheduler {
  readonly #settings: SigmaSchedulerSettings;
  readonly #trainSigmas: Float32Array;
  /** The sigma of each inference step, and the last one's end: one more than there are inference steps. */
  protected sigmas: Float32Array = new Float32Array();

  constructor(settings: SigmaSchedulerSettings) {
    super(settings);
    this.#settings = settings;
    if (settings.rescaleBetasZeroSnr) keepLastSigmaFinite(this.alphasCumprod);
    this.#trainSigmas = trainingSigmas(this.alphasCumprod);
  }

  override get initNoiseSigma(): number {
    const sigmaMax = this.sigmas[0] ?? this.#trainSigmas.at(-1)!;
    return this.#settings.timestepSpacing === 'leading' ? Math.sqrt(sigmaMax ** 2 + 1) : sigmaMax;
  }

  override scaleModelInput(sample: Float32Array, stepIndex: number): Float32Array {
    this.checkStepIndex('scaleModelInput', stepIndex);
    return linearCombination([1 / Math.sqrt(this.sigmaAt(stepIndex) ** 2 + 1), sample]);
  }

  /** The sigma of a sample at `timesteps[stepIndex]`. */
  protected sigmaAt(stepIndex: number): number {
    return this.sigmas[stepIndex]!;
  }

  protected override noiseLevel(stepIndex: number): NoiseLevel {
    return {alpha: 1, sigma: this.sigmaAt(stepIndex)};
  }

  protected override layOut(numInferenceSteps: number): readonly number[] {
    const {useKarrasSigmas = false, finalSigmasType = 'zero'} = this.#settings;
    const timesteps = spaceTimesteps(this.#settings, numInferenceSteps, Math.fround);
    const sigmas = interpolateSigmas(timesteps, this.#trainSigmas);
    if (!useKarrasSigmas) {
      this.sigmas = withFinalSigma(sigmas, finalSigmasType, this.#trainSigmas);
      return timesteps;
    }
    const karras = karrasSigmas(sigmas[0]!, sigmas.at(-1)!, numInferenceSteps);
    this.sigmas = withFinalSigma(karras, finalSigmasType, this.#trainSigmas);
    return sigmasToTimesteps(karras, this.#trainSigmas).map(Math.fround);
  }
}
