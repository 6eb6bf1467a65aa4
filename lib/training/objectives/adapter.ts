/**
 * An adapter on a frozen base model, trained on pictures with conditions (Rowles et al. 2024, §3.4).
 */
import {createScheduler} from '../../schedulers/create-scheduler.ts';
import {type AdapterBatch, adapterLoss} from '../adapter-loss.ts';
import {adapterSamples, type PreparedSample} from '../batches/adapter-samples.ts';
import {checkSizes} from '../batches/check-sizes.ts';
import {adapterOf, encodeBatch} from '../batches/encode-batch.ts';
import {withInstructionPools} from '../batches/instruction-pools.ts';
import {openEncoderCaches} from '../batches/open-encoder-caches.ts';
import {TextCache} from '../batches/text-cache.ts';
import {TextTeacher} from '../batches/text-teacher.ts';
import {trainedPrediction} from '../diffusion-loss.ts';
import type {Objective} from '../objective.ts';
import type {ResolvedTrainerOptions} from '../trainer-options.ts';
import {createWatch} from '../watch/create-watch.ts';
import {encodedBatches} from './encoded-batches.ts';
import {type AdapterLossOptions, trainedModel} from './trained-model.ts';

/**
 * The part that forecasts need, without data.
 *
 * @throws ArgumentError where the models have no adapter
 */
export function adapterStep(
  options: AdapterLossOptions,
): Pick<Objective<AdapterBatch>, 'engine' | 'label' | 'lossOf'> {
  const trained = trainedModel(options);
  return {
    engine: options.models.engine,
    label: 'adapter',
    lossOf: (weights, batch) => adapterLoss(trained, weights, batch),
  };
}

/** @throws ArgumentError for options that no run can have; FileError where the cache's encoders are gone */
export async function adapterObjective(options: ResolvedTrainerOptions): Promise<Objective<AdapterBatch>> {
  const {models, dataset, taskWeights, instructions, minSnrGamma, cacheFolder} = options;
  checkSizes(models, options);
  const {adapter, imageEncoder} = adapterOf(models);
  const caches =
    cacheFolder === undefined ? undefined : await openEncoderCaches(cacheFolder, models, options);
  const scheduler = createScheduler('ddpm', models.schedulerConfig);
  const {numTrainTimesteps, alphasCumprod} = scheduler;
  const texts = new TextCache(models.engine);
  const teacher = TextTeacher.of(options);
  const predictionType = trainedPrediction(scheduler.predictionType);
  const {preprocess} = imageEncoder;
  const {scaleFactor} = models.vae;
  const pools = {instructions, taskWeights, readsInstruction: adapter.readsInstruction};
  const samples = withInstructionPools(dataset, pools);
  return {
    ...adapterStep(options),
    dtype: options.dtype,
    initial: options.initial,
    files: {weights: 'adapter.safetensors', companions: new Map()},
    openBatches: (state, place) =>
      encodedBatches<AdapterBatch, PreparedSample>(
        adapterSamples(samples, {...options, numTrainTimesteps, preprocess, caches, scaleFactor}, state),
        place,
        (batch, run) =>
          encodeBatch(models, batch, {...run, texts, teacher, minSnrGamma, alphasCumprod, predictionType}),
      ),
    createWatch: log => createWatch(options, {scheduler, texts, caches}, log),
  };
}
