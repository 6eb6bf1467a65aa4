/**
 * How a trainer looks at its weights with a held-out set.
 */
import {z} from 'zod';

const count = z.int().positive();
const interval = z.int().nonnegative();

/** Numbers, with their defaults. */
export const validationSettings = z.strictObject({
  /** Steps from one validation loss to the next; the last step has one too. 0 for none at all. Default 1000. */
  lossEvery: interval.default(1000),
  /** Draws of each task that the loss is the mean of, one timestep each. Default 32. */
  drawsPerTask: count.default(32),
  /** As `lossEvery`, for grids of generated pictures and their CLIP metrics. */
  samplesEvery: interval.default(1000),
  /** Samples of each task that have a row in the grid. Default 2. */
  samplesPerTask: count.default(2),
  /** Pictures that are generated in a row, each with another instruction of the task. Default 2. */
  instructionsPerSample: count.default(2),
  /** Of each picture. Default 30. */
  numInferenceSteps: count.default(30),
});

export type ValidationSettings = z.output<typeof validationSettings>;
