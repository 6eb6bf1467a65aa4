import {ArgumentError} from '../errors.ts';
import {type NoiseLevel, noiseLevelOf} from './prediction.ts';
import {Scheduler, type SchedulerSettings} from './scheduler.ts';

/**
 * A scheduler whose samples have the noise of a training timestep: `sqrt(alphaCumprod) * original +
 * sqrt(1 - alphaCumprod) * noise` (DDPM, equation 4), with integer timesteps only.
 */
export abstract class AlphaScheduler extends Scheduler {
  /** Stands for `alphasCumprod` before the first timestep. */
  protected readonly finalAlphaCumprod: number;

  constructor(settings: SchedulerSettings, setAlphaToOne: boolean) {
    super(settings);
    this.finalAlphaCumprod = setAlphaToOne ? 1 : this.alphasCumprod[0]!;
  }

  protected override layOut(numInferenceSteps: number): readonly number[] {
    const timesteps = this.placeTimesteps(numInferenceSteps);
    if (this.predictionType === 'epsilon' && timesteps.some(timestep => this.alphasCumprod[timestep] === 0)) {
      throw new ArgumentError(
        "setTimesteps: expected predictionType 'v_prediction' or 'sample' where the first timestep is pure " +
          "noise (rescaleBetasZeroSnr); got 'epsilon'. Use timestepSpacing 'leading', or do not rescale.",
      );
    }
    return timesteps;
  }

  /** The timesteps for `setTimesteps`, integers. */
  protected abstract placeTimesteps(numInferenceSteps: number): readonly number[];

  /** How many training timesteps an inference step spans. */
  protected get stepRatio(): number {
    return Math.floor(this.numTrainTimesteps / this.numInferenceSteps);
  }

  /** The cumulative product of alphas at a timestep, which may lie before the first. */
  protected alphaCumprodAt(timestep: number): number {
    return timestep >= 0 ? this.alphasCumprod[timestep]! : this.finalAlphaCumprod;
  }

  protected override noiseLevel(stepIndex: number): NoiseLevel {
    return noiseLevelOf(this.alphasCumprod[this.timesteps[stepIndex]!]!);
  }
}
