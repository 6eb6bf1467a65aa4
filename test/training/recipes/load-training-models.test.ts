import {join} from 'node:path';
import test from 'ava';
import {ArgumentError, WeightsError} from '../../../lib/errors.ts';
import {describeAdapterWeights} from '../../../lib/models/ip-adapter.ts';
import {newAdapterKinds} from '../../../lib/pipelines/describe-new-adapter.ts';
import {
  type AdapterStart,
  loadTrainingModels,
  randomTrainingModels,
} from '../../../lib/training/recipes/load-training-models.ts';
import {canonicalAdapterTensors} from '../../../lib/weights/adapter-names.ts';
import {openWeights} from '../../../lib/weights/open-weights.ts';
import {readTensor} from '../../../lib/weights/read-tensor.ts';
import {inReference, instructModel} from '../../_helpers/reference-paths.ts';

const plus = inReference('ip-adapter-plus.safetensors');
const {adapter: instruct, ...files} = instructModel;

async function load(start: AdapterStart, options = files) {
  const loaded = await loadTrainingModels(options, start);
  await loaded.models.engine.dispose();
  return loaded;
}

async function tensorsOf(path: string) {
  return canonicalAdapterTensors(await openWeights(path));
}

test('IPAdapter-Instruct begins with an IP-Adapter+ and new blocks that end in zeros', async t => {
  for (const kind of ['instruct', 'instruct-paper'] as const) {
    const {models, initial} = await load({kind, from: plus});
    const {description, layers} = models.adapter!.adapter;
    t.is(description.kind, kind);
    t.deepEqual([...initial.keys()], [...describeAdapterWeights(description, layers).keys()]);
    for (const [name, stored] of await tensorsOf(plus)) {
      t.deepEqual(initial.get(name)!.data, await readTensor(stored), name);
    }
    const last = initial.get('image_proj.new_input_layers.0.0.to_out.weight')!;
    t.true(last.data.every(value => value === 0));
  }
});

test('a trained adapter goes on as it is', async t => {
  for (const [kind, from] of [
    ['instruct', instruct!],
    ['plus', plus],
    ['classic', inReference('ip-adapter.safetensors')],
  ] as const) {
    const {models, initial} = await load({kind, from});
    t.is(models.adapter!.adapter.description.kind, kind);
    for (const [name, stored] of await tensorsOf(from)) {
      t.deepEqual(initial.get(name)!.data, await readTensor(stored), name);
    }
  }
});

test("without a file the image attentions begin as the UNet's text attentions", async t => {
  const unet = (await openWeights(join(files.model, 'unet'))).tensors;
  for (const kind of newAdapterKinds) {
    const {models, initial} = await load({kind, seed: 5});
    const {layers, description} = models.adapter!.adapter;
    t.deepEqual([...initial.keys()], [...describeAdapterWeights(description, layers).keys()]);
    for (const {path, adapterIndex} of layers) {
      for (const name of ['to_k', 'to_v']) {
        const ours = initial.get(`ip_adapter.${adapterIndex}.${name}_ip.weight`)!;
        t.deepEqual(ours.data, await readTensor(unet.get(`${path}.${name}.weight`)!), path);
      }
    }
    const again = await load({kind, seed: 5});
    t.deepEqual(again.initial, initial);
  }
});

test('random models are begun on in the same way', async t => {
  const {models, initial} = await randomTrainingModels({size: 'tiny'}, {kind: 'instruct-paper'});
  const {description, layers} = models.adapter!.adapter;
  t.deepEqual([...initial.keys()], [...describeAdapterWeights(description, layers).keys()]);
  await models.engine.dispose();
});

test('an adapter of another kind, and one without its encoder, are refused', async t => {
  await t.throwsAsync(load({kind: 'plus', from: instruct}), {
    instanceOf: ArgumentError,
    message: /adapter\.from: expected an adapter of the kind 'plus', got 'instruct' in .*Give another file/,
  });
  await t.throwsAsync(load({kind: 'instruct', from: inReference('ip-adapter.safetensors')}), {
    instanceOf: ArgumentError,
    message: /expected an adapter of the kind 'instruct' or 'plus', got 'classic'/,
  });
  const {imageEncoder, ...withoutEncoder} = files;
  await t.throwsAsync(load({kind: 'plus', from: plus}, withoutEncoder), {
    instanceOf: ArgumentError,
    message: /^imageEncoder: expected the folder/,
  });
  await t.throwsAsync(load({kind: 'plus', from: inReference('model', 'unet')}), {instanceOf: WeightsError});
});
