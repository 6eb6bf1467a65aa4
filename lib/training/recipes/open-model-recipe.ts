/**
 * What the recipe of a whole model names, opened.
 */
import {openDataset} from '../../datasets/dataset.ts';
import type {DatasetProblem} from '../../datasets/dataset-sample.ts';
import {Engine} from '../../engine/engine.ts';
import {computeDType} from '../../pipelines/compute-dtype.ts';
import {loadFrozenModels} from '../../pipelines/load-models.ts';
import {openDevice} from '../../runtime/device.ts';
import {readTokenizerFiles} from '../../tokenizer/tokenizer-files.ts';
import {openWeights} from '../../weights/open-weights.ts';
import type {WeightIndex} from '../../weights/stored-tensor.ts';
import {openLatentCache} from '../batches/open-encoder-caches.ts';
import type {Objective} from '../objective.ts';
import {autoencoderObjective} from '../objectives/autoencoder.ts';
import {clipObjective} from '../objectives/clip.ts';
import {factorReaderObjective} from '../objectives/factor-reader.ts';
import type {ModelSetup} from '../objectives/model-setup.ts';
import {unetObjective} from '../objectives/unet.ts';
import type {ModelRecipe} from './model-recipe.ts';

type DatasetRecipe = Extract<ModelRecipe, {dataset: string}>;

/** A recipe for a whole model with its files opened. */
export interface OpenedModelRecipe {
  /** For a `Trainer`. */
  readonly objective: Objective<unknown>;
  /** Samples of the training set that cannot be used. */
  readonly problems: readonly DatasetProblem[];
}

/**
 * A recipe's model with its data.
 *
 * @throws FileError, WeightsError, ArgumentError where something is missing or does not fit
 */
export async function openModelRecipe(recipe: ModelRecipe): Promise<OpenedModelRecipe> {
  const {training} = recipe;
  const device = openDevice(recipe.device ?? 'auto');
  const engine = new Engine(device, {keepsWeights: true});
  const dtype = computeDType(recipe.dtype, device);
  if ('factorReader' in recipe) {
    const {model, ...reader} = recipe.factorReader;
    const {vae} = await loadFrozenModels({engine, dtype: 'float32'}, model);
    const objective = factorReaderObjective({engine, dtype, training, ...reader, vae});
    return {objective: objective as Objective<unknown>, problems: []};
  }
  const dataset = await openDataset(recipe.dataset);
  const objective = await objectiveOf(recipe, {engine, dtype, dataset, training});
  return {objective: objective as Objective<unknown>, problems: dataset.problems};
}

async function objectiveOf(recipe: DatasetRecipe, setup: ModelSetup) {
  if ('autoencoder' in recipe) {
    const {from, ...autoencoder} = recipe.autoencoder;
    return autoencoderObjective({...setup, ...autoencoder, from: await openFrom(from)});
  }
  if ('clip' in recipe) {
    const {from, ...clip} = recipe.clip;
    const tokenizer = await readTokenizerFiles(clip.tokenizer);
    return clipObjective({...setup, ...clip, tokenizer, from: await openFrom(from)});
  }
  const {model, from, ...unet} = recipe.unet;
  const frozen = await loadFrozenModels(setup, model);
  const cache =
    recipe.cache === undefined ? undefined : await openLatentCache(recipe.cache, frozen.vae, setup.training);
  return unetObjective({
    ...setup,
    ...unet,
    ...frozen,
    from: await openFrom(from),
    cache,
  });
}

/** Weights to begin with. */
async function openFrom(folder: string | undefined): Promise<WeightIndex | undefined> {
  return folder === undefined ? undefined : openWeights(folder);
}
