import {fileURLToPath} from 'node:url';
import test from 'ava';
import {ArgumentError, WeightsError} from '../../lib/errors.ts';
import {download, upload} from '../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import type {LoadOptions} from '../../lib/pipelines/load-options.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';
import {collectGarbage} from '../_helpers/collect-garbage.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';
import {relativeError} from '../_helpers/relative-error.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url));
const expected = readSafetensors(fixture('lora/expected.safetensors'));
const prompt = 'a photo of a lighthouse';
const fileOf = (name: string) => fixture(`lora/${name}.safetensors`);

const load = (options: Partial<LoadOptions> = {}) =>
  IPAdapterInstructPipeline.load({model: fixture('reference/model'), device: 'cpu', ...options});

const latentsOf = async (pipeline: IPAdapterInstructPipeline, options: {ipAdapterImage?: string} = {}) => {
  const {images} = await pipeline.generate({
    prompt,
    negativePrompt: 'blurry',
    numInferenceSteps: 4,
    guidanceScale: 5,
    seed: 7,
    height: 64,
    width: 64,
    ipAdapterScale: 0.7,
    outputType: 'latent',
    ...options,
  });
  return images[0]!.latents.data;
};

/** The text encoder's hidden states of the prompt, and the UNet's prediction for a run's. */
async function modulesOf(pipeline: IPAdapterInstructPipeline, run: string) {
  const {textEncoder, denoiser, engine} = pipeline.models;
  const {device} = engine;
  const states = await textEncoder.encode([prompt], 0);
  const textKeyValues = await denoiser.textKeyValues.run({
    encoderHiddenStates: upload(device, expected[`${run}.hidden_states`]!),
  });
  const timeProjections = await denoiser.timeProjections.run({
    timesteps: upload(device, {shape: [1], data: Float32Array.of(401)}),
  });
  const sample = upload(device, expected[`${run}.sample`]!);
  const output = await download(await denoiser.step([]).run({sample, timeProjections, textKeyValues}));
  return {hidden_states: states.data, output: output.data};
}

const runs: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  peft: {peft: 1},
  kohya: {kohya: 1},
  older: {older: 1},
  several: {peft: 0.7, kohya: -0.4, older: 1.3},
};

for (const [run, weights] of Object.entries(runs)) {
  test.serial(`diffusers' text encoder, UNet and pipeline: ${run}`, async t => {
    const loras = Object.entries(weights).map(([name, weight]) => ({path: fileOf(name), weight}));
    await using pipeline = await load({loras});
    await using plain = await load();
    const actual: Record<string, Float32Array> = await modulesOf(pipeline, run);
    const without: Record<string, Float32Array> = await modulesOf(plain, run);
    for (const part of ['hidden_states', 'output']) {
      const reference = expected[`${run}.${part}`]!.data;
      const error = relativeError(actual[part]!, reference);
      t.true(error <= 1e-5, `${part}: ${error}`);
      t.true(relativeError(without[part]!, reference) > 0.02, `${part} without`);
    }
    const error = relativeError(await latentsOf(pipeline), expected[`${run}.latents`]!.data);
    t.true(error <= 1e-3, `latents: ${error}`);
  });
}

test.serial('diffusers’ pipeline with an IP-Adapter on the changed base', async t => {
  await using pipeline = await load({
    adapter: fixture('reference/ip-adapter.safetensors'),
    imageEncoder: fixture('reference/image_encoder'),
    loras: [{path: fileOf('kohya'), weight: 0.8}],
  });
  const latents = await latentsOf(pipeline, {ipAdapterImage: fixture('reference/condition.png')});
  const error = relativeError(latents, expected['ip_adapter.latents']!.data);
  t.true(error <= 1e-3, `${error}`);
});

test.serial(
  'unloaded, the weights are what they were, and nothing of the LoRA is left in memory',
  async t => {
    for (const keepModels of [false, true]) {
      await using pipeline = await load({keepModels});
      const plain = await latentsOf(pipeline);
      collectGarbage();
      const bytes = memoryUsage().bufferBytes;
      await pipeline.loadLoraWeights(fileOf('kohya'), {adapterName: 'style'});
      const changed = await latentsOf(pipeline);
      t.notDeepEqual(changed, plain);
      t.is(memoryUsage().bufferBytes, bytes, 'the weights without it were freed');
      await pipeline.setAdapters('style', 0.5);
      t.notDeepEqual(await latentsOf(pipeline), changed);
      t.is(memoryUsage().bufferBytes, bytes);
      await pipeline.setAdapters(['style']);
      t.deepEqual(await latentsOf(pipeline), changed);
      await pipeline.unloadLoraWeights();
      t.true(memoryUsage().bufferBytes < bytes);
      t.deepEqual(await latentsOf(pipeline), plain);
      t.is(memoryUsage().bufferBytes, bytes);
    }
  },
);

test.serial('a weight of 0, and no active adapter, are the base itself', async t => {
  await using pipeline = await load({loras: [{path: fileOf('peft'), weight: 0}]});
  const {denoiser, textEncoder} = pipeline.models;
  await pipeline.setAdapters('default_0');
  t.not(pipeline.models.denoiser, denoiser);
  t.not(pipeline.models.textEncoder, textEncoder);
  await pipeline.setAdapters([]);
  t.is(pipeline.models.denoiser, denoiser);
  t.is(pipeline.models.textEncoder, textEncoder);
  t.deepEqual(pipeline.getListAdapters(), ['default_0']);
});

test.serial('adapters by name', async t => {
  await using pipeline = await load({loras: [{path: fileOf('peft')}]});
  await pipeline.loadLoraWeights(fileOf('kohya'), {adapterName: 'style', weight: 0.3});
  await pipeline.loadLoraWeights(fileOf('older'));
  t.deepEqual(pipeline.getListAdapters(), ['default_0', 'style', 'default_1']);
  t.deepEqual(pipeline.getActiveAdapters(), ['default_0', 'style', 'default_1']);
  await pipeline.setAdapters(['default_1', 'default_0', 'style'], [1.3, 0.7, -0.4]);
  const several = relativeError(await latentsOf(pipeline), expected['several.latents']!.data);
  t.true(several <= 1e-3, `${several}`);
  await pipeline.deleteAdapters(['default_0', 'default_1']);
  t.deepEqual(pipeline.getActiveAdapters(), ['style']);
  await pipeline.setAdapters('style', 1);
  const alone = relativeError(await latentsOf(pipeline), expected['kohya.latents']!.data);
  t.true(alone <= 1e-3, `${alone}`);
  await pipeline.unloadLoraWeights();
  t.deepEqual(pipeline.getListAdapters(), []);
});

test.serial('running generations end with the weights that they began with', async t => {
  await using pipeline = await load();
  const plain = await latentsOf(pipeline);
  const before = latentsOf(pipeline);
  const loaded = pipeline.loadLoraWeights(fileOf('kohya'));
  const after = latentsOf(pipeline);
  t.deepEqual(await before, plain);
  await loaded;
  const error = relativeError(await after, expected['kohya.latents']!.data);
  t.true(error <= 1e-3, `${error}`);
});

test.serial('what cannot be loaded changes nothing', async t => {
  await using pipeline = await load({loras: [{path: fileOf('peft'), adapterName: 'style'}]});
  const {models} = pipeline;
  const refused: readonly (readonly [Promise<void>, object])[] = [
    [
      pipeline.loadLoraWeights(fixture('reference/model/unet/diffusion_pytorch_model.safetensors')),
      {instanceOf: WeightsError, message: /superfluous:\n {2}.*conv_in\.weight/s},
    ],
    [
      pipeline.loadLoraWeights(fileOf('kohya'), {adapterName: 'style'}),
      {instanceOf: ArgumentError, message: /adapterName: expected another than those loaded \(style\)/},
    ],
    [
      pipeline.loadLoraWeights(fileOf('kohya'), {weight: Number.NaN}),
      {instanceOf: ArgumentError, message: /weight: expected a finite number/},
    ],
    [
      pipeline.setAdapters(['style', 'other']),
      {instanceOf: ArgumentError, message: /adapterNames: .*\(style\) but received other/},
    ],
    [
      pipeline.setAdapters(['style'], [1, 2]),
      {instanceOf: ArgumentError, message: /adapterWeights: expected one for each of 1 adapters/},
    ],
    [pipeline.deleteAdapters('other'), {instanceOf: ArgumentError, message: /received other/}],
  ];
  for (const [promise, error] of refused) await t.throwsAsync(promise, error);
  t.is(pipeline.models, models);
  t.deepEqual(pipeline.getActiveAdapters(), ['style']);
});
