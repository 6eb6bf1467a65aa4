/**
 * The looks that a trainer's options ask for.
 */
import {mkdir, readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {writeImage} from '../images/write-image.ts';
import type {AdapterModels} from '../pipelines/conditioning.ts';
import type {Scheduler} from '../schedulers/scheduler.ts';
import type {TrainedModel} from './adapter-gradients.ts';
import {trainedPrediction} from './diffusion-loss.ts';
import {drawSampleGrid} from './sample-grid.ts';
import {clipMetrics} from './sample-metrics.ts';
import type {ResolvedTrainerOptions} from './trainer-options.ts';
import type {TrainingLog} from './training-log.ts';
import {type Look, TrainingWatch} from './training-watch.ts';
import {Validation, validationDraws} from './validation.ts';
import {type ResolvedValidationOptions, resolveValidation} from './validation-options.ts';
import {generateSamples, sampleRequests} from './validation-samples.ts';

/** What a trainer has made of its options. */
export interface WatchedRun {
  readonly trained: TrainedModel;
  readonly adapter: AdapterModels;
  readonly scheduler: Scheduler;
}

/**
 * Without a validation set it looks at nothing.
 *
 * @throws ArgumentError for a task without instructions, or a number that is none of what it counts
 */
export function createWatch(
  options: ResolvedTrainerOptions,
  run: WatchedRun,
  log: TrainingLog,
): TrainingWatch {
  if (options.validation === undefined) return new TrainingWatch([], log);
  const validation = resolveValidation(options.validation);
  const looks = [lossLook(options, validation, run), samplesLook(options, validation, run)];
  return new TrainingWatch(looks, log);
}

function lossLook(
  {models, batchSize, resolution, seed}: ResolvedTrainerOptions,
  {dataset, drawsPerTask, lossEvery}: ResolvedValidationOptions,
  {trained, scheduler: {numTrainTimesteps, alphasCumprod, predictionType}}: WatchedRun,
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
    take: async ({step, weights, signal}) => ({
      event: {kind: 'validation', step, ...(await validation.run(weights, {signal}))},
    }),
  };
}

function samplesLook(
  {models, dtype, resolution, folder, seed}: ResolvedTrainerOptions,
  {dataset, samplesEvery, numInferenceSteps, ...counts}: ResolvedValidationOptions,
  {adapter}: WatchedRun,
): Look {
  const requests = sampleRequests(dataset, {...counts, seed});
  const setup = {models: {...models, adapter}, requests, dtype, resolution, numInferenceSteps};
  return {
    name: 'samples',
    every: samplesEvery,
    take: async ({step, weights, signal}) => {
      const {rows, problems} = await generateSamples(setup, weights, {signal});
      const grid = await drawSampleGrid(rows, resolution);
      const file = join(folder, 'samples', `step-${String(step).padStart(8, '0')}.png`);
      await mkdir(dirname(file), {recursive: true});
      await writeImage(file, grid);
      const {width, height} = grid;
      return {
        event: {kind: 'samples', step, file, ...(await clipMetrics(adapter, rows, {signal})), problems},
        pictures: [{tag: 'samples', png: await readFile(file), width, height}],
      };
    },
  };
}
