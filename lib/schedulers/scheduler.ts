import {ArgumentError, describeValue, invalidArgument} from '../errors.ts';
import {linearCombination} from './linear-combination.ts';
import {alphasCumprod, type NoiseScheduleConfig} from './noise-schedule.ts';
import {type NoiseLevel, type PredictionType, predictOriginalSample} from './prediction.ts';

/** Gives fresh unit-normal noise of the sample's length at every call. */
export type NoiseSource = () => Float32Array;

/** What every scheduler is built from; the names are those of diffusers' `scheduler_config.json`. */
export interface SchedulerSettings extends NoiseScheduleConfig {
  readonly predictionType: PredictionType;
}

/**
 * What all schedulers have in common. A pipeline needs no more than this loop:
 *
 * ```ts
 * scheduler.setTimesteps(numInferenceSteps);
 * let sample = noise.map(x => x * scheduler.initNoiseSigma);
 * for (const [stepIndex, timestep] of scheduler.timesteps.entries()) {
 *   const modelInput = scheduler.scaleModelInput(sample, stepIndex);
 *   sample = scheduler.step(predict(modelInput, timestep), stepIndex, sample, drawNoise);
 * }
 * ```
 *
 * Image to image starts the same loop at `beginIndex(scheduler, strength)`, with `addNoise(latents, noise,
 * stepIndex)` of that index as the sample.
 *
 * Samples are flat arrays of any length (a whole batch in one is fine: every formula is elementwise). They
 * are never changed in place, and callers may reuse their own. Steps are named by their index in `timesteps`,
 * not by the timestep, because PNDM and Heun visit a timestep twice. Multistep schedulers remember model
 * outputs between calls of `step`: call `setTimesteps` before each run, and `step` in order.
 */
export abstract class Scheduler {
  /** How many entries of `timesteps` belong to one inference step (2 for Heun, as in diffusers). */
  readonly order: number = 1;
  readonly numTrainTimesteps: number;
  /** The product of all `1 - beta` up to each training timestep, rounded to float32 where PyTorch rounds. */
  readonly alphasCumprod: Float32Array;
  readonly predictionType: PredictionType;

  #timesteps: readonly number[] = [];
  #nextStepIndex: number | undefined;
  #numInferenceSteps = 0;

  constructor(settings: SchedulerSettings) {
    this.numTrainTimesteps = settings.numTrainTimesteps;
    this.alphasCumprod = alphasCumprod(settings);
    this.predictionType = settings.predictionType;
  }

  /** The timesteps to run the model at, in order; empty before `setTimesteps`. */
  get timesteps(): readonly number[] {
    return this.#timesteps;
  }

  /** What `setTimesteps` was given; 0 before. */
  get numInferenceSteps(): number {
    return this.#numInferenceSteps;
  }

  /** What unit noise is multiplied by to be a sample at `timesteps[0]`. */
  get initNoiseSigma(): number {
    return 1;
  }

  /**
   * Lays out the timesteps and forgets the model outputs of the run before.
   * @throws ArgumentError unless `numInferenceSteps` is an integer from 1 to `numTrainTimesteps` that the
   *   timestep spacing can place.
   */
  setTimesteps(numInferenceSteps: number): void {
    const {numTrainTimesteps} = this;
    if (
      !Number.isInteger(numInferenceSteps) ||
      numInferenceSteps < 1 ||
      numInferenceSteps > numTrainTimesteps
    ) {
      throw invalidArgument(
        'numInferenceSteps',
        `an integer from 1 to ${numTrainTimesteps}`,
        numInferenceSteps,
      );
    }
    this.#timesteps = this.layOut(numInferenceSteps);
    this.#numInferenceSteps = numInferenceSteps;
    this.#nextStepIndex = undefined;
    this.forget();
  }

  /** The model's input for a sample: the sample itself, or divided by a constant. Never changes `sample`. */
  scaleModelInput(sample: Float32Array, stepIndex: number): Float32Array {
    this.checkStepIndex('scaleModelInput', stepIndex);
    return sample;
  }

  /**
   * One step of the reverse process: from the sample at `timesteps[stepIndex]` and the model's output there
   * to the sample at the next timestep, a new array.
   * @param noise is called once by a stochastic scheduler, in just those steps in which diffusers draws
   *   noise.
   * @throws ArgumentError if lengths differ, steps are out of order, or noise is needed and there is no
   *   source.
   */
  step(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise?: NoiseSource,
  ): Float32Array {
    this.checkStepIndex('step', stepIndex);
    if (this.#nextStepIndex !== undefined && stepIndex !== this.#nextStepIndex) {
      throw new ArgumentError(
        `step: expected stepIndex ${this.#nextStepIndex}, the one after the last step's; ` +
          `got ${describeValue(stepIndex)}. Call setTimesteps before a new run.`,
      );
    }
    checkLength('step: modelOutput', modelOutput, sample);
    // Copies, because schedulers keep arrays from step to step and callers may reuse their buffers.
    const previousSample = this.advance(modelOutput.slice(), stepIndex, sample.slice(), () =>
      drawNoise(noise, sample),
    );
    this.#nextStepIndex = stepIndex + 1;
    return previousSample;
  }

  /** What a sample at `timesteps[stepIndex]` would be without its noise, by the model's output there. */
  predOriginalSample(modelOutput: Float32Array, stepIndex: number, sample: Float32Array): Float32Array {
    this.checkStepIndex('predOriginalSample', stepIndex);
    checkLength('predOriginalSample: modelOutput', modelOutput, sample);
    return predictOriginalSample(this.predictionType, this.noiseLevel(stepIndex), modelOutput, sample);
  }

  /** The forward process: `original` with as much of `noise` as a sample at `timesteps[stepIndex]` holds. */
  addNoise(original: Float32Array, noise: Float32Array, stepIndex: number): Float32Array {
    this.checkStepIndex('addNoise', stepIndex);
    checkLength('addNoise: noise', noise, original);
    const {alpha, sigma} = this.noiseLevel(stepIndex);
    return linearCombination([alpha, original], [sigma, noise]);
  }

  /** Computes the timesteps for `setTimesteps`, and whatever tables go with them. */
  protected abstract layOut(numInferenceSteps: number): readonly number[];

  /** The share of image and noise in a sample at `timesteps[stepIndex]`. */
  protected abstract noiseLevel(stepIndex: number): NoiseLevel;

  /** `step` with checked arguments. */
  protected abstract advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise: NoiseSource,
  ): Float32Array;

  /** Drops what `advance` remembers of earlier steps. */
  protected forget(): void {}

  /** @throws ArgumentError unless it is an index into `timesteps` */
  protected checkStepIndex(where: string, stepIndex: number): void {
    const count = this.#timesteps.length;
    if (count === 0) {
      throw new ArgumentError(
        `${where}: expected a scheduler with timesteps; got one without. Call setTimesteps first.`,
      );
    }
    if (!Number.isInteger(stepIndex) || stepIndex < 0 || stepIndex >= count) {
      throw new ArgumentError(
        `${where}: expected stepIndex to be an integer from 0 to ${count - 1}; ` +
          `got ${describeValue(stepIndex)}. Pass an index into timesteps, not a timestep.`,
      );
    }
  }
}

/**
 * Where image to image starts in `scheduler.timesteps`: the last `floor(numInferenceSteps * strength)`
 * inference steps are run, as diffusers' `get_timesteps` and `set_begin_index` have it.
 * @throws ArgumentError unless `strength` is above 0, at most 1, and leaves at least one step.
 */
export function beginIndex(scheduler: Scheduler, strength: number): number {
  if (!(strength > 0 && strength <= 1)) {
    throw invalidArgument('strength', 'a number above 0 and at most 1', strength);
  }
  const {numInferenceSteps, order} = scheduler;
  const stepsToRun = Math.floor(numInferenceSteps * strength);
  if (stepsToRun < 1) {
    throw new ArgumentError(
      'strength: expected numInferenceSteps * strength to be at least 1; ' +
        `got ${numInferenceSteps} * ${strength}. Raise strength or numInferenceSteps.`,
    );
  }
  return (numInferenceSteps - stepsToRun) * order;
}

function drawNoise(noise: NoiseSource | undefined, sample: Float32Array): Float32Array {
  if (noise === undefined) {
    throw new ArgumentError(
      'step: expected a noise source, because this scheduler is stochastic; got none. ' +
        'Pass a function that returns unit-normal noise as the fourth argument.',
    );
  }
  const drawn = noise();
  checkLength('step: noise', drawn, sample);
  return drawn;
}

function checkLength(where: string, array: Float32Array, sample: Float32Array): void {
  if (array.length !== sample.length) {
    throw new ArgumentError(
      `${where}: expected as many elements as the sample has (${sample.length}); got ${array.length}. ` +
        'Pass arrays of one shape.',
    );
  }
}
