/**
 * `ipai train --dry-run`: what a recipe expects, and what it takes of memory and time on this machine.
 */
import {openDataset} from '../datasets/dataset.ts';
import {ArgumentError} from '../errors.ts';
import {exists} from '../files/exists.ts';
import {formatBytes, formatSeconds} from '../inspect/format.ts';
import {computeDType} from '../pipelines/compute-dtype.ts';
import {forecastTraining, type TrainingForecast} from '../training/recipes/forecast.ts';
import {openRecipeModels} from '../training/recipes/open-recipe.ts';
import {type Recipe, readRecipe, trainsModel} from '../training/recipes/recipe.ts';
import {memoryText} from './memory-text.ts';

export async function dryRun(config: string, {json}: {readonly json?: true | undefined}): Promise<void> {
  const recipe = await readRecipe(config);
  if (trainsModel(recipe)) {
    throw new ArgumentError(
      `--dry-run: expected a recipe of an adapter, got one of a whole model in ${config}. Train a few steps instead.`,
    );
  }
  const missing = await missingFiles(recipe);
  const tasks = await samplesByTask(recipe.dataset);
  const validationTasks = recipe.validationSet && (await samplesByTask(recipe.validationSet));
  const {models, initial} = await openRecipeModels(missing.length > 0 ? withRandomModels(recipe) : recipe);
  const dtype = computeDType(recipe.models.dtype, models.engine.device);
  try {
    const forecast = await forecastTraining({...recipe.training, models, initial, dtype});
    if (json)
      process.stdout.write(`${JSON.stringify({recipe, missing, tasks, validationTasks, forecast})}\n`);
    else {
      const lines = [
        runText(recipe),
        dataText('data', recipe.dataset, tasks, recipe),
        ...(validationTasks ? [dataText('validation', recipe.validationSet!, validationTasks, recipe)] : []),
        ...missing.map(path => `missing: ${path}`),
        ...(missing.length > 0 ? ['measured with random weights of the size of Stable Diffusion 1.5'] : []),
        ...forecastText(forecast),
      ];
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  } finally {
    await models.engine.dispose();
  }
}

/** Weights that the recipe names and that are not there (yet). */
async function missingFiles({models, adapter}: Recipe): Promise<string[]> {
  const named = 'model' in models ? [models.model, models.imageEncoder, adapter.from] : [adapter.from];
  const missing: string[] = [];
  for (const path of named) if (path !== undefined && !(await exists(path))) missing.push(path);
  return missing;
}

/** With random weights in their places a run is as large and as long. */
function withRandomModels({models: {device, dtype}, adapter: {kind}, ...rest}: Recipe): Recipe {
  return {...rest, adapter: {kind}, models: {random: 'sd15', dtype, ...(device && {device})}};
}

/** How many a training set has of each task; none where it is not there. */
async function samplesByTask(folder: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  if (!(await exists(folder))) return counts;
  for (const {task} of (await openDataset(folder)).samples) counts[task] = (counts[task] ?? 0) + 1;
  return counts;
}

const number = new Intl.NumberFormat('en');

function runText({adapter, models, training}: Recipe): string {
  const {steps, batchSize, accumulate, buckets, learningRate, schedule} = training;
  const sizes = buckets.map(size => size.join('x')).join(' ');
  const samples =
    accumulate === 1 ? `${batchSize}` : `${batchSize * accumulate} (${accumulate} x ${batchSize})`;
  return (
    `run: ${adapter.kind} adapter, ${number.format(steps)} steps of ${samples} samples, ${sizes}, ` +
    `${models.dtype}, learning rate ${learningRate.toExponential()} ${schedule}`
  );
}

function dataText(
  what: string,
  folder: string,
  tasks: Readonly<Record<string, number>>,
  {training}: Recipe,
): string {
  const counts = Object.entries(tasks).map(([task, count]) => `${task} ${number.format(count)}`);
  if (counts.length > 0) return `${what}: ${folder}: ${counts.join(', ')} samples`;
  const expected = Object.keys(training.taskWeights ?? {}).join(', ') || 'one or more';
  return (
    `${what}: expected in ${folder}: manifest.jsonl, manifest.parquet or tar shards, with target, condition, prompt and ` +
    `task of each sample, and instructions/TASK.txt for each task: ${expected}`
  );
}

function forecastText(forecast: TrainingForecast): string[] {
  const {trainedParameters, memory, activationBytes, encodeSeconds, gradientSeconds, optimizerSeconds} =
    forecast;
  const {secondsPerStep, totalSeconds, peakBytes} = forecast;
  return [
    `trained: ${number.format(trainedParameters)} parameters`,
    `${memoryText(memory)}, ${formatBytes(peakBytes)} measured`,
    `activations: ${formatBytes(activationBytes.kept)} kept, ${formatBytes(activationBytes.recomputed)} with recompute`,
    `batch: ${formatSeconds(encodeSeconds)} to encode, ${formatSeconds(gradientSeconds)} for loss and gradients`,
    `step: ${formatSeconds(secondsPerStep)}, of which the optimiser takes ${formatSeconds(optimizerSeconds)}`,
    `total: ${formatSeconds(totalSeconds)} on this machine, without validation and reading`,
  ];
}
