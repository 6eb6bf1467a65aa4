import {readdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {ArgumentError, FileError} from '../../../lib/errors.ts';
import {openRecipe} from '../../../lib/training/recipes/open-recipe.ts';
import {type Recipe, readRecipe, trainsModel} from '../../../lib/training/recipes/recipe.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

const recipes = join(import.meta.dirname, '../../../recipes');

async function readAdapterRecipe(path: string): Promise<Recipe> {
  const recipe = await readRecipe(path);
  if (trainsModel(recipe)) throw new Error(`${path} is of a whole model`);
  return recipe;
}

test("the paper's runs have the paper's numbers", async t => {
  const names = (await readdir(recipes)).filter(name => name.endsWith('.yaml'));
  const read = new Map(
    await Promise.all(names.map(async name => [name, await readAdapterRecipe(join(recipes, name))] as const)),
  );
  const numbersOf = (name: string) => {
    const {steps, batchSize, accumulate, learningRate} = read.get(name)!.training;
    return {steps, samples: batchSize * accumulate, learningRate};
  };
  // Rowles et al. 2024, §4: the main run, and the ablations.
  t.deepEqual(numbersOf('paper-main.yaml'), {steps: 100_000, samples: 512, learningRate: 1e-6});
  const ablations = names.filter(name => name.startsWith('paper-ablation'));
  t.is(ablations.length, 3);
  for (const name of ablations) {
    t.deepEqual(numbersOf(name), {steps: 100_000, samples: 64, learningRate: 1e-7}, name);
  }
  t.deepEqual(Object.keys(read.get('paper-ablation-single-task.yaml')!.training.taskWeights!), ['style']);
  const fixed = read.get('paper-ablation-fixed-instructions.yaml')!.training.instructions!;
  t.true(Object.values(fixed).every(pool => pool.length === 1));
});

test('the small model has a recipe for each of its parts', async t => {
  const folder = join(recipes, 'world');
  const kinds = new Map<string, string>();
  for (const name of (await readdir(folder)).filter(entry => entry.endsWith('.yaml'))) {
    const recipe = await readRecipe(join(folder, name));
    kinds.set(name, trainsModel(recipe) ? Object.keys(recipe)[0]! : recipe.adapter.kind);
    if ('dataset' in recipe) t.is(recipe.dataset, join(recipes, '../data/world-64'));
  }
  t.deepEqual(Object.fromEntries(kinds), {
    'autoencoder.yaml': 'autoencoder',
    'clip.yaml': 'clip',
    'decoder.yaml': 'autoencoder',
    'factor-reader.yaml': 'factorReader',
    'instruct.yaml': 'instruct',
    'ip-adapter-plus.yaml': 'plus',
    'unet.yaml': 'unet',
  });
});

test('what is wrong in the recipe of a whole model is told of its kind', async t => {
  const text = 'autoencoder: {config: {}, klWeigth: 1}\ndataset: data\noutput: run\ntraining: {steps: 1}\n';
  await t.throwsAsync(readRecipe(await write(t, text)), {instanceOf: ArgumentError, message: /klWeigth/});
  const reader = 'factorReader: {model: m}\noutput: run\ntraining: {steps: 1}\ndataset: data\n';
  await t.throwsAsync(readRecipe(await write(t, reader)), {instanceOf: ArgumentError, message: /dataset/});
});

async function write(t: ExecutionContext, text: string): Promise<string> {
  const path = join(await tempFolder(t), 'recipe.yaml');
  await writeFile(path, text);
  return path;
}

const small = `
models: {random: tiny, dtype: float32}
adapter: {kind: plus}
dataset: data
training: {steps: 2, resolution: 64}
output: run
`;

test('paths are relative to the recipe; defaults are filled in', async t => {
  const path = await write(t, small);
  const recipe = await readAdapterRecipe(path);
  t.is(recipe.dataset, join(path, '../data'));
  t.is(recipe.output, join(path, '../run'));
  t.is(recipe.training.learningRate, 1e-6);
  t.deepEqual(recipe.training.optimizer, {beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01});
  await t.throwsAsync(openRecipe(recipe), {
    instanceOf: FileError,
    message: /expected a folder with a training/,
  });
});

test('what a recipe names is opened', async t => {
  const recipe = {...(await readAdapterRecipe(await write(t, small))), dataset: await writeTrainingSet(t)};
  const {models, initial, dataset, steps} = await openRecipe(recipe);
  t.is(models.adapter!.adapter.description.kind, 'plus');
  t.true(initial.has('image_proj.latents'));
  t.is(dataset.samples.length, 6);
  t.is(steps, 2);
  await models.engine.dispose();
});

test('sizes, threads and a cache for the encoders', async t => {
  const text = small.replace('resolution: 64', 'buckets: [[64, 128], [128, 64]], numWorkers: 0');
  const recipe = await readAdapterRecipe(await write(t, `${text}cache: kept\n`));
  const {models, buckets, numWorkers, cacheFolder} = await openRecipe({
    ...recipe,
    dataset: await writeTrainingSet(t),
  });
  t.deepEqual(buckets, [
    [64, 128],
    [128, 64],
  ]);
  t.is(numWorkers, 0);
  t.is(cacheFolder, join(recipe.output, '../kept'));
  await models.engine.dispose();
});

test('no file, no YAML, and wrong values are told', async t => {
  await t.throwsAsync(readRecipe('nowhere.yaml'), {instanceOf: FileError, message: /nowhere.yaml: .*ENOENT/});
  await t.throwsAsync(readRecipe(await write(t, 'a: [')), {instanceOf: FileError, message: /expected YAML/});
  const wrong = async (from: string, to: string, message: RegExp) => {
    const path = await write(t, small.replace(from, to));
    await t.throwsAsync(readRecipe(path), {instanceOf: ArgumentError, message}, to);
  };
  await wrong('steps: 2', 'steps: 0', /training\.steps/);
  await wrong('steps: 2', 'steps: two', /training\.steps/);
  await wrong('resolution: 64', 'buckets: []', /training\.buckets/);
  await wrong('resolution: 64', 'buckets: [[64, 60]]', /training\.buckets/);
  await wrong('kind: plus', 'kind: minus', /adapter\.kind/);
  await wrong('random: tiny', 'random: huge', /models\.random/);
  await wrong('random: tiny', 'model: here', /models\.imageEncoder/);
  await wrong('output: run', '', /output/);
  await wrong('output: run', 'output: run\nmore: 1', /more/);
});
