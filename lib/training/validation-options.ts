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
}

export const validationDefaults = {lossEvery: 1000, drawsPerTask: 32} as const;

export type ResolvedValidationOptions = Required<ValidationOptions>;

/**
 * The options with the defaults filled in.
 *
 * @throws ArgumentError for a number that is none of what it counts
 */
export function resolveValidation(given: ValidationOptions): ResolvedValidationOptions {
  const options = {...validationDefaults, ...given};
  checkInteger('validation.lossEvery', options.lossEvery, 0);
  checkInteger('validation.drawsPerTask', options.drawsPerTask, 1);
  return options;
}
