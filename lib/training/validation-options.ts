/**
 * What a trainer looks at beside its own loss.
 */
import type {Dataset} from '../datasets/dataset.ts';
import {checkInteger} from '../pipelines/generate-options.ts';

export interface ValidationOptions {
  /** Held out from training, in the format of training sets. */
  readonly dataset: Dataset;
  /** Steps from one validation loss to the next; the last step has one too. 0 for none at all. Default 1000. */
  readonly lossEvery?: number;
  /** Draws of each task that the loss is the mean of, one timestep each. Default 32. */
  readonly drawsPerTask?: number;
  /** As `lossEvery`, for grids of generated pictures. */
  readonly samplesEvery?: number;
  /** Samples of each task that have a row in the grid. Default 2. */
  readonly samplesPerTask?: number;
  /** Pictures that are generated in a row, each with another instruction of the task. Default 2. */
  readonly instructionsPerSample?: number;
  /** Of each picture. Default 30. */
  readonly numInferenceSteps?: number;
}

export const validationDefaults = {
  lossEvery: 1000,
  drawsPerTask: 32,
  samplesEvery: 1000,
  samplesPerTask: 2,
  instructionsPerSample: 2,
  numInferenceSteps: 30,
} as const;

export type ResolvedValidationOptions = Required<ValidationOptions>;

/**
 * The options with the defaults filled in.
 *
 * @throws ArgumentError for a number that is none of what it counts
 */
export function resolveValidation(given: ValidationOptions): ResolvedValidationOptions {
  const options = {...validationDefaults, ...given};
  for (const name of ['lossEvery', 'samplesEvery'] as const) {
    checkInteger(`validation.${name}`, options[name], 0);
  }
  const counts = ['drawsPerTask', 'samplesPerTask', 'instructionsPerSample', 'numInferenceSteps'] as const;
  for (const name of counts) checkInteger(`validation.${name}`, options[name], 1);
  return options;
}
