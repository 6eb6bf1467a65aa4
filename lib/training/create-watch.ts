/**
 * The looks that a trainer's options ask for.
 */
import type {Scheduler} from '../schedulers/scheduler.ts';
import type {TrainedModel} from './adapter-gradients.ts';
import {trainedPrediction} from './diffusion-loss.ts';
import type {ResolvedTrainerOptions} from './trainer-options.ts';
import type {TrainingLog} from './training-log.ts';
import {type Look, TrainingWatch} from './training-watch.ts';
import {Validation, validationDraws} from './validation.ts';
import {type ResolvedValidationOptions, resolveValidation} from './validation-options.ts';

/**
 * Without a validation set it looks at nothing.
 *
 * @throws ArgumentError for a task without instructions, or a number that is none of what it counts
 */
export function createWatch(
  options: ResolvedTrainerOptions,
  trained: TrainedModel,
  scheduler: Scheduler,
  log: TrainingLog,
): TrainingWatch {
  if (options.validation === undefined) return new TrainingWatch([], log);
  const validation = resolveValidation(options.validation);
  return new TrainingWatch([lossLook(options, validation, trained, scheduler)], log);
}

function lossLook(
  {models, batchSize, resolution, seed}: ResolvedTrainerOptions,
  {dataset, drawsPerTask, lossEvery}: ResolvedValidationOptions,
  trained: TrainedModel,
  {numTrainTimesteps, alphasCumprod, predictionType}: Scheduler,
): Look {
  const validation = new Validation({
    models,
    trained,
    draws: validationDraws(dataset, {drawsPerTask, numTrainTimesteps, seed}),
    batchSize,
    encoding: {resolution, alphasCumprod, predictionType: trainedPrediction(predictionType)},
  });
  return {
    name: 'validation',
    every: lossEvery,
    look: async ({step, weights, signal}) => ({
      event: {kind: 'validation', step, ...(await validation.run(weights, {signal}))},
    }),
  };
}
