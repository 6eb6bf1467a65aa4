import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import {writeWorldDataset} from '../../../lib/datasets/world/write-world.ts';
import {writeDatasetVocabulary} from '../../../lib/datasets/write-vocabulary.ts';
import {Engine} from '../../../lib/engine/engine.ts';
import {ArgumentError, WeightsError} from '../../../lib/errors.ts';
import {IPAdapterInstructPipeline} from '../../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {loadImageEncoder, loadInstructionEncoder} from '../../../lib/pipelines/load-encoders.ts';
import {loadVae} from '../../../lib/pipelines/load-models.ts';
import {openDevice} from '../../../lib/runtime/device.ts';
import {stableDiffusion1SchedulerConfig} from '../../../lib/schedulers/create-scheduler.ts';
import {CLIPTokenizer} from '../../../lib/tokenizer/clip-tokenizer.ts';
import {assembleModel} from '../../../lib/training/assemble/assemble-model.ts';
import {latentScale} from '../../../lib/training/assemble/latent-scale.ts';
import type {ModelRecipe} from '../../../lib/training/recipes/model-recipe.ts';
import {openModelRecipe} from '../../../lib/training/recipes/open-model-recipe.ts';
import {Trainer} from '../../../lib/training/trainer.ts';
import {modelTrainingSettings} from '../../../lib/training/trainer-options.ts';
import {openWeights} from '../../../lib/weights/open-weights.ts';
import {readTensor} from '../../../lib/weights/read-tensor.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const steps = 24;
const settings = {engine: new Engine(openDevice('cpu')), dtype: 'float32' as const};

const text = {
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  projection_dim: 16,
};
const vision = {...text, num_hidden_layers: 2, image_size: 64, patch_size: 16};

const autoencoder = {
  block_out_channels: [8, 16, 16],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
  norm_num_groups: 4,
};

const unet = {
  sample_size: 16,
  block_out_channels: [16, 32],
  down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'],
  layers_per_block: 1,
  attention_head_dim: 2,
  cross_attention_dim: 32,
  norm_num_groups: 8,
};

/** Trains, and says how the mean loss of the last steps stands to that of the first. */
async function train(recipe: ModelRecipe, stopAfter = steps) {
  const {objective, problems} = await openModelRecipe(recipe);
  const trainer = await Trainer.begin(objective, {...recipe.training, folder: recipe.output});
  const losses: number[] = [];
  const controller = new AbortController();
  const {isFinished} = await trainer.train({
    signal: controller.signal,
    onStep({step, loss}) {
      losses.push(loss);
      if (step === stopAfter) controller.abort();
    },
  });
  const weights = await trainer.weights();
  trainer.dispose();
  await objective.engine.dispose();
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
  const ratio = mean(losses.slice(-4)) / mean(losses.slice(0, 4));
  return {ratio, isFinished, problems, weights, folder: join(recipe.output, `checkpoint-000000${steps}`)};
}

async function recipeFields(t: ExecutionContext, output: string) {
  const dataset = join(await tempFolder(t), 'set');
  await writeWorldDataset(dataset, {count: 40, size: 64, seed: 1, split: 'train'});
  return {
    dtype: 'float32' as const,
    dataset,
    output: join(await tempFolder(t), output),
    training: modelTrainingSettings.parse({
      steps,
      resolution: 64,
      batchSize: 8,
      numWorkers: 0,
      learningRate: 3e-3,
      checkpointEvery: 8,
      ema: {decay: 0.9},
    }),
  };
}

/** Weights of a model's folder. */
async function readAll(folder: string): Promise<Map<string, Float32Array>> {
  const {tensors} = await openWeights(folder);
  const read = [...tensors].map(async ([name, tensor]) => [name, await readTensor(tensor)] as const);
  return new Map(await Promise.all(read));
}

test('an autoencoder learns, and goes on with equal bits; its checkpoint is one of diffusers', async t => {
  const fields = await recipeFields(t, 'autoencoder');
  const recipe = {...fields, autoencoder: {config: autoencoder, klWeight: 1e-4}};
  const {ratio, problems, weights, folder} = await train(recipe);
  t.log(`loss ${ratio} of the first`);
  t.true(ratio < 0.8);
  t.deepEqual(problems, []);
  const broken = {...recipe, output: join(await tempFolder(t), 'broken')};
  t.false((await train(broken, 11)).isFinished);
  const again = (await train(broken)).weights;
  t.deepEqual(new Map([...weights.keys()].map(name => [name, again.get(name)])), weights);
  for (const part of [folder, join(folder, 'ema')]) {
    const vae = await loadVae(settings, part);
    t.is(vae.scaleFactor, 4);
    const scale = await latentScale(vae, await openDataset(recipe.dataset), 64);
    t.true(scale > 0.05 && scale < 20);
  }
});

test('an autoencoder goes on with its decoder alone, and its latents stay what they were', async t => {
  const fields = await recipeFields(t, 'autoencoder');
  const {folder: first} = await train({...fields, autoencoder: {config: autoencoder, klWeight: 1e-4}});
  const from = join(first, 'ema');
  const goesOn = {
    ...fields,
    output: join(fields.output, '../decoder'),
    autoencoder: {config: autoencoder, klWeight: 0, from},
  };
  const {ratio, weights, folder} = await train(goesOn);
  t.log(`loss ${ratio} of the first`);
  t.true(ratio < 0.95);
  const before = await readAll(from);
  for (const part of [folder, join(folder, 'ema')]) {
    const after = await readAll(part);
    t.deepEqual([...after.keys()].sort(), [...before.keys()].sort());
    for (const [name, data] of after) {
      const isEncoders = /^(encoder|quant_conv)\./.test(name);
      t.is(isEncoders, !weights.has(name), name);
      if (isEncoders) t.deepEqual(data, before.get(name), name);
      else t.notDeepEqual(data, before.get(name), name);
    }
  }
  const broken = {...goesOn, output: join(await tempFolder(t), 'broken')};
  t.false((await train(broken, 11)).isFinished);
  const again = await train(broken);
  t.deepEqual(await readAll(join(again.folder, 'ema')), await readAll(join(folder, 'ema')));

  const wide = {...autoencoder, block_out_channels: [8, 16, 32]};
  await t.throwsAsync(openModelRecipe({...goesOn, autoencoder: {...goesOn.autoencoder, config: wide}}), {
    instanceOf: WeightsError,
    message: /vae of .*ema/,
  });
});

test('whole models are trained one after the other, and make a pipeline', async t => {
  const fields = await recipeFields(t, 'clip');
  const dataset = await openDataset(fields.dataset);
  const tokenizer = join(await tempFolder(t), 'vocabulary');
  await writeDatasetVocabulary(tokenizer, dataset, {size: 800});
  const clip = await train({...fields, clip: {text, vision, tokenizer}});
  t.log(`CLIP: loss ${clip.ratio} of the first`);
  t.true(clip.ratio < 0.9);
  const goOn = {...fields, clip: {text, vision, tokenizer, from: clip.folder}};
  const {objective: begun} = await openModelRecipe(goOn);
  const saved = await readAll(clip.folder);
  t.is(begun.initial.size, saved.size);
  for (const [name, {data}] of begun.initial) t.deepEqual(data, saved.get(name), name);
  await begun.engine.dispose();
  await t.throwsAsync(openModelRecipe({...goOn, clip: {...goOn.clip, text: {...text, hidden_size: 8}}}), {
    instanceOf: WeightsError,
    message: /clip of .*checkpoint/,
  });
  // Both towers lie in one folder; each is found there.
  t.is((await loadImageEncoder(settings, clip.folder)).config.projectionDim, 16);
  const textTower = await loadInstructionEncoder(
    settings,
    clip.folder,
    undefined,
    await CLIPTokenizer.load(tokenizer),
  );
  t.deepEqual((await textTower.embed(['a lighthouse', 'a teapot'])).shape, [2, 1, 16]);

  const vae = await train({
    ...fields,
    output: join(fields.output, '../autoencoder'),
    autoencoder: {config: autoencoder, klWeight: 1e-4},
  });
  const model = join(fields.output, '../model');
  await assembleModel(model, {clip: clip.folder, autoencoder: vae.folder}, {scalingFactor: 0.5});
  t.is(JSON.parse(await readFile(join(model, 'vae/config.json'), 'utf8')).scaling_factor, 0.5);

  const learnt = await train({
    ...fields,
    output: join(fields.output, '../unet'),
    cache: join(fields.output, '../cache'),
    unet: {config: unet, model, dropText: 0.1, minSnrGamma: 5},
  });
  t.log(`UNet: loss ${learnt.ratio} of the first`);
  t.true(learnt.ratio < 0.95);
  await assembleModel(model, {unet: join(learnt.folder, 'ema')}, {dtype: 'float16'});
  const pipeline = await IPAdapterInstructPipeline.load({model, device: 'cpu'});
  const {images} = await pipeline.generate({
    prompt: 'a lighthouse by the sea',
    numInferenceSteps: 2,
    seed: 1,
  });
  t.deepEqual([images[0]!.image!.width, images[0]!.image!.height], [64, 64]);
  await pipeline.dispose();

  // The UNet goes on to predict v.
  const scheduler = {...stableDiffusion1SchedulerConfig, prediction_type: 'v_prediction'};
  await assembleModel(model, {}, {scheduler});
  const from = join(learnt.folder, 'ema');
  const goesOn = {...fields, unet: {config: unet, model, from, dropText: 0.1}};
  const {objective} = await openModelRecipe(goesOn);
  const {tensors} = await openWeights(from);
  t.is(objective.initial.size, tensors.size);
  for (const [name, {data}] of objective.initial)
    t.deepEqual(data, await readTensor(tensors.get(name)!), name);
  await objective.engine.dispose();
  const velocity = await train({...goesOn, output: join(fields.output, '../velocity')});
  t.log(`UNet, to v: loss ${velocity.ratio} of the first`);
  t.true(velocity.ratio < 0.95);
  const narrow = {...unet, block_out_channels: [8, 32]};
  await t.throwsAsync(openModelRecipe({...goesOn, unet: {...goesOn.unet, config: narrow}}), {
    instanceOf: WeightsError,
    message: /ema/,
  });
});

test('what does not fit is told before anything is trained', async t => {
  const fields = await recipeFields(t, 'none');
  const tokenizer = join(await tempFolder(t), 'vocabulary');
  await writeDatasetVocabulary(tokenizer, await openDataset(fields.dataset), {size: 600});
  const wide = {...vision, projection_dim: 24};
  await t.throwsAsync(openModelRecipe({...fields, clip: {text, vision: wide, tokenizer}}), {
    instanceOf: ArgumentError,
    message: /one projection_dim/,
  });
  const odd = {...fields, training: {...fields.training, buckets: [[66, 64]] as const}};
  await t.throwsAsync(openModelRecipe({...odd, autoencoder: {config: autoencoder, klWeight: 0}}), {
    instanceOf: ArgumentError,
    message: /multiples of 4/,
  });
});
