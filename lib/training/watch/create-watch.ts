/**
 * The looks that a trainer's options ask for.
 */
import {mkdir, readFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {Dataset} from '../../datasets/dataset.ts';
import {writeImage} from '../../images/write-image.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import type {Scheduler} from '../../schedulers/scheduler.ts';
import {adapterOf} from '../batches/encode-batch.ts';
import type {EncoderCaches} from '../batches/encoder-cache.ts';
import type {TextCache} from '../batches/text-cache.ts';
import {trainedPrediction} from '../diffusion-loss.ts';
import {trainedModel} from '../objectives/trained-model.ts';
import type {ResolvedTrainerOptions} from '../trainer-options.ts';
import {drawSampleGrid} from './sample-grid.ts';
import {clipMetrics} from './sample-metrics.ts';
import type {TrainingLog} from './training-log.ts';
import {type Look, TrainingWatch} from './training-watch.ts';
import {Validation, validationDraws} from './validation.ts';
import {generateSamples, sampleRequests} from './validation-samples.ts';
import {validationSetOf} from './validation-set.ts';

/** What a trainer has made of its options. */
export interface WatchedRun {
  readonly scheduler: Scheduler;
  readonly texts: TextCache;
  readonly caches: EncoderCaches | undefined;
}

/**
 * Without a validation set it looks at nothing.
 *
 * @throws ArgumentError for a validation set with a task that has no instructions, or without a sample of a trained task
 */
export function createWatch(
  options: ResolvedTrainerOptions,
  run: WatchedRun,
  log: TrainingLog,
): TrainingWatch {
  const {models, validationSet} = options;
  if (validationSet === undefined) return new TrainingWatch([], log);
  const adapter = adapterOf(models);
  const {readsInstruction} = adapter.adapter;
  const dataset = validationSetOf(validationSet, {...options, readsInstruction});
  const looks = [lossLook(options, dataset, run), samplesLook(options, dataset, adapter)];
  return new TrainingWatch(looks, log);
}

function lossLook(
  options: ResolvedTrainerOptions,
  dataset: Dataset,
  {scheduler, texts, caches}: WatchedRun,
): Look {
  const {models, batchSize, buckets, seed, validation} = options;
  const {numTrainTimesteps, alphasCumprod, predictionType} = scheduler;
  const {preprocess} = adapterOf(models).imageEncoder;
  const {lossEvery, drawsPerTask} = validation;
  const loss = new Validation({
    models,
    trained: trainedModel(options),
    draws: validationDraws(dataset, {drawsPerTask, numTrainTimesteps, seed}),
    batchSize,
    pictures: {buckets, preprocess, caches},
    encoding: {texts, alphasCumprod, predictionType: trainedPrediction(predictionType)},
  });
  return {
    name: 'validation',
    every: lossEvery,
    take: async ({step, weights, signal}) => ({
      event: {kind: 'validation', step, ...(await loss.run(weights, {signal}))},
    }),
  };
}

function samplesLook(
  {models, dtype, buckets, folder, seed, validation}: ResolvedTrainerOptions,
  dataset: Dataset,
  adapter: AdapterModels,
): Look {
  const {samplesEvery, numInferenceSteps} = validation;
  const requests = sampleRequests(dataset, {...validation, seed});
  const setup = {models: {...models, adapter}, requests, dtype, buckets, numInferenceSteps};
  return {
    name: 'samples',
    every: samplesEvery,
    take: async ({step, weights, signal}) => {
      const {rows, problems} = await generateSamples(setup, weights, {signal});
      const grid = await drawSampleGrid(rows);
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
