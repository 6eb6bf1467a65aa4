/**
 * What a recipe names, opened.
 */
import {openDataset} from '../../datasets/dataset.ts';
import {computeDType} from '../../pipelines/compute-dtype.ts';
import type {TrainerOptions} from '../trainer-options.ts';
import {loadTrainingModels, randomTrainingModels, type TrainingModels} from './load-training-models.ts';
import type {Recipe} from './recipe.ts';

/**
 * Options for a `Trainer`.
 *
 * @throws FileError, WeightsError, ArgumentError where something is missing or does not fit
 */
export async function openRecipe(recipe: Recipe): Promise<TrainerOptions> {
  const dataset = await openDataset(recipe.dataset);
  const validationSet =
    recipe.validationSet === undefined ? undefined : await openDataset(recipe.validationSet);
  const {models, initial} = await openRecipeModels(recipe);
  const dtype = computeDType(recipe.models.dtype, models.engine.device);
  const {training, output: folder, cache: cacheFolder} = recipe;
  return {...training, models, initial, dataset, validationSet, dtype, folder, cacheFolder};
}

/** The models alone. */
export function openRecipeModels({models, adapter, training: {seed}}: Recipe): Promise<TrainingModels> {
  const start = {...adapter, seed};
  if ('model' in models) return loadTrainingModels(models, start);
  const {random: size, ...run} = models;
  return randomTrainingModels({size, seed, ...run}, start);
}
