import {readdir, readFile, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {ArgumentError, FileError, NumericError} from '../../lib/errors.ts';
import type {Autoencoder} from '../../lib/pipelines/components/autoencoder.ts';
import type {HostTensor} from '../../lib/pipelines/host-tensor.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {Trainer} from '../../lib/training/trainer.ts';
import type {TrainerOptions, TrainingEvent} from '../../lib/training/trainer-options.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {readTensor} from '../../lib/weights/read-tensor.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {initial, models, optionsFor, shapes, trained} from '../_helpers/tiny-training.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

function byName<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1));
}

test.serial('stopped and resumed, a run ends with the bits of an unbroken one', async t => {
  const options = await optionsFor(t, {accumulate: 2, batchSize: 2, schedule: 'cosine', warmupSteps: 2});
  const unbroken = await trained(options);
  t.true(unbroken.result.isFinished);
  t.deepEqual(
    unbroken.events.map(event => event.step),
    [1, 2, 3, 4, 5, 6],
  );
  const broken = {...options, folder: await tempFolder(t)};
  const first = await trained(broken, 3);
  t.deepEqual(first.result, {step: 3, isFinished: false, problems: []});
  const second = await trained(broken);
  t.deepEqual(second.events[0]!.step, 4);
  t.deepEqual(byName(second.weights), byName(unbroken.weights));
  t.deepEqual(
    [...first.events, ...second.events].map(event => event.loss),
    unbroken.events.map(event => event.loss),
  );
});

test.serial('in buckets too, stopped and resumed, with a cache or without', async t => {
  const sizes = [
    [48, 32],
    [32, 48],
    [40, 40],
  ] as const;
  const buckets = [
    [64, 64],
    [128, 64],
    [64, 128],
  ] as const;
  const dataset = await openDataset(await writeTrainingSet(t, {sizes}));
  const options = await optionsFor(t, {dataset, buckets, batchSize: 2, steps: 5});
  const unbroken = await trained(options);
  const broken = {...options, folder: await tempFolder(t), cacheFolder: await tempFolder(t)};
  const first = await trained(broken, 2);
  const text = await readFile(join(broken.folder, 'checkpoint-00000002/trainer.json'), 'utf8');
  t.true(JSON.parse(text).sampler.waiting.length > 0);
  const second = await trained(broken);
  t.deepEqual(byName(second.weights), byName(unbroken.weights));
  t.deepEqual(
    [...first.events, ...second.events].map(event => event.loss),
    unbroken.events.map(event => event.loss),
  );
});

test.serial('moving averages are saved as an adapter, and go on with equal bits', async t => {
  const options = await optionsFor(t, {ema: {decay: 0.9}});
  const averagesOf = async (folder: string) => {
    const {tensors} = await openWeights(join(folder, 'checkpoint-00000006/ema/adapter.safetensors'));
    const read = [...tensors].map(async ([name, stored]) => [name, await readTensor(stored)] as const);
    return new Map(await Promise.all(read));
  };
  const {weights} = await trained(options);
  const unbroken = await averagesOf(options.folder);
  t.deepEqual([...unbroken.keys()].sort(), [...weights.keys()].sort());
  for (const [name, {data}] of weights) {
    const [start, average] = [initial.get(name)!.data, unbroken.get(name)!];
    const distance = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0);
    // They lag behind: nearer to where training began than the weights are.
    t.true(distance(average, start) < distance(data, start), name);
  }
  const broken = {...options, folder: await tempFolder(t)};
  await trained(broken, 3);
  await trained(broken);
  t.deepEqual(byName(await averagesOf(broken.folder)), byName(unbroken));
});

test.serial('averages begin where a run is that had none', async t => {
  const options = await optionsFor(t, {steps: 3});
  await trained(options, 2);
  await trained({...options, ema: {decay: 0.9}});
  const path = join(options.folder, 'checkpoint-00000003');
  const {emaUpdates} = JSON.parse(await readFile(join(path, 'trainer.json'), 'utf8'));
  t.is(emaUpdates, 1);
  t.deepEqual((await openWeights(join(path, 'ema/adapter.safetensors'))).tensors.size, initial.size);
});

test.serial(
  'checkpoints hold an adapter in the public format; the last ones are kept; metrics are lines',
  async t => {
    const options = await optionsFor(t);
    const {weights, events} = await trained(options);
    const names = await readdir(options.folder);
    t.deepEqual(names.sort(), ['checkpoint-00000004', 'checkpoint-00000006', 'metrics.jsonl', 'tensorboard']);
    const {tensors} = await openWeights(join(options.folder, 'checkpoint-00000006/adapter.safetensors'));
    t.deepEqual(byName(new Map([...tensors].map(([name, {shape}]) => [name, shape]))), byName(shapes));
    t.is(weights.size, shapes.size);
    const lines = (await readFile(join(options.folder, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    t.deepEqual(
      lines.map(line => JSON.parse(line).loss),
      events.map(event => event.loss),
    );
  },
);

test.serial('training lowers the loss: beside a run on the same draws that learns nothing', async t => {
  const dropout = {text: 0, image: 0, textAndImage: 0, instruction: 0};
  const late = async (learningRate: number) => {
    const options = await optionsFor(t, {
      steps: 60,
      learningRate,
      batchSize: 2,
      dropout,
      checkpointEvery: 100,
    });
    const last = (await trained(options)).events.slice(-20);
    return last.reduce((sum, {loss}) => sum + loss, 0) / last.length;
  };
  const [learning, idle] = [await late(3e-3), await late(0)];
  t.log(`${learning} beside ${idle}`);
  t.true(learning < 0.9 * idle);
});

test.serial('gradients are clipped to the norm that is asked for', async t => {
  const step = async (changes: Partial<TrainerOptions>) =>
    (await trained(await optionsFor(t, {steps: 1, optimizer: {weightDecay: 0, epsilon: 1}, ...changes})))
      .weights;
  const moved = (weights: ReadonlyMap<string, HostTensor>) =>
    Math.sqrt(
      [...weights].reduce(
        (sum, [name, {data}]) =>
          sum + data.reduce((s, x, i) => s + (x - initial.get(name)!.data[i]!) ** 2, 0),
        0,
      ),
    );
  // With a large epsilon a first step is the gradient times the rate.
  const [free, clipped] = [moved(await step({})), moved(await step({maxGradientNorm: 1e-3}))];
  t.true(clipped < 0.1 * free);
  t.true(Math.abs(clipped / (1e-3 * 1e-3) - 1) < 0.05);
});

test.serial('pictures that cannot be read are passed over and listed; too many stop the run', async t => {
  const few = await openDataset(await writeTrainingSet(t, {bad: [0]}));
  const seen = await trained(
    await optionsFor(t, {dataset: few, steps: 8, taskWeights: {style: 1, face: 20}}),
  );
  t.true(seen.result.isFinished);
  t.true(seen.result.problems.length <= 1);
  const many = await openDataset(await writeTrainingSet(t, {bad: [0, 1, 2, 3]}));
  await t.throwsAsync(trained(await optionsFor(t, {dataset: many, steps: 60})), {
    instanceOf: FileError,
    message: /more than a tenth/,
  });
});

test.serial(
  'steps whose loss is not finite change nothing, and end the run when there are too many',
  async t => {
    const [name] = [...initial.keys()].filter(key => key.endsWith('to_q.weight'));
    const spoilt = new Map(initial);
    const {shape, data} = initial.get(name!)!;
    spoilt.set(name!, {shape, data: data.map(() => Number.NaN)});
    const options = await optionsFor(t, {initial: spoilt, maxSkippedSteps: 3});
    const events: TrainingEvent[] = [];
    const trainer = await Trainer.create(options);
    await t.throwsAsync(trainer.train({onStep: event => events.push(event)}), {
      instanceOf: NumericError,
      message:
        /^step 3: 3 steps in a row .* has a NaN at element 0 \(at adapter\.image_proj.*\)\. Lower the learning rate/,
    });
    t.deepEqual(
      events.map(event => event.isSkipped),
      [true, true, true],
    );
    t.deepEqual(
      (await trainer.weights()).get('ip_adapter.1.to_k_ip.weight'),
      initial.get('ip_adapter.1.to_k_ip.weight'),
    );
    trainer.dispose();
  },
);

test.serial('a run that is over leaves its checkpoint as it is; a damaged one is told', async t => {
  const options = await optionsFor(t, {steps: 2});
  await trained(options);
  const file = join(options.folder, 'checkpoint-00000002/trainer.json');
  const {mtimeMs} = await stat(file);
  const {result, events} = await trained(options);
  t.deepEqual([result.step, result.isFinished, events.length], [2, true, 0]);
  t.is((await stat(file)).mtimeMs, mtimeMs);
  await writeFile(file, '{"step":');
  await t.throwsAsync(Trainer.create(options), {instanceOf: FileError, message: /trainer.json/});
});

/** The models with a VAE that counts what it encodes. */
function countingModels() {
  // Pictures, not calls: small ones are encoded together.
  const count = {encoded: 0};
  const vae: Autoencoder = Object.create(models.vae, {
    encode: {
      value: (...inputs: Parameters<Autoencoder['encode']>) => {
        count.encoded += inputs[0].shape[0]!;
        return models.vae.encode(...inputs);
      },
    },
  });
  return {count, models: {...models, vae}};
}

test.serial(
  'with a cache of the encoders, full, empty or damaged, a run has the bits of one without',
  async t => {
    const {count, models} = countingModels();
    const options = await optionsFor(t, {models, steps: 8, batchSize: 2});
    const plain = await trained(options);
    t.is(count.encoded, 16);
    const cacheFolder = await tempFolder(t);
    const run = async () => {
      count.encoded = 0;
      const {events, weights} = await trained({...options, folder: await tempFolder(t), cacheFolder});
      t.deepEqual(
        events.map(({loss}) => loss),
        plain.events.map(({loss}) => loss),
      );
      t.deepEqual(byName(weights), byName(plain.weights));
      return count.encoded;
    };
    const first = await run();
    t.true(first >= 6 && first < 16);
    t.is(await run(), 0);
    const names = await readdir(cacheFolder, {recursive: true});
    const entries = names.filter(name => name.endsWith('.safetensors'));
    t.is(entries.length, 12);
    for (const name of entries) {
      const path = join(cacheFolder, name);
      const bytes = await readFile(path);
      bytes[bytes.length - 5]! ^= 1;
      await writeFile(path, bytes);
    }
    t.true((await run()) >= 6);
    t.is(await run(), 0);
  },
);

test.serial('entries are not shared by resolutions or encoders', async t => {
  const {count, models} = countingModels();
  const cacheFolder = await tempFolder(t);
  const run = async (changes: Partial<TrainerOptions>) => {
    count.encoded = 0;
    await trained(await optionsFor(t, {models, steps: 2, cacheFolder, ...changes}));
    return count.encoded;
  };
  t.is(await run({}), 2);
  t.is(await run({}), 0);
  t.is(await run({resolution: 128}), 2);
  const other = await IPAdapterInstructPipeline.random({adapter: 'instruct', seed: 1});
  const {vae} = other.models;
  const folder = await tempFolder(t);
  await trained(await optionsFor(t, {models: {...models, vae}, steps: 2, cacheFolder: folder}));
  t.is(await run({cacheFolder: folder}), 2);
  await other.dispose();
});

test('refuses sizes that the models cannot be trained on', async t => {
  const create = async (changes: Partial<TrainerOptions>) => Trainer.create(await optionsFor(t, changes));
  const refusal = (message: RegExp) => ({instanceOf: ArgumentError, message});
  await t.throwsAsync(create({resolution: 72}), refusal(/^resolution, buckets: .*multiples of 64.* 72 x 72/));
  await t.throwsAsync(
    create({
      buckets: [
        [128, 64],
        [64, 96],
      ],
    }),
    refusal(/^resolution, buckets: .* 64 x 96/),
  );
  await t.throwsAsync(create({buckets: []}), refusal(/buckets/));
});
