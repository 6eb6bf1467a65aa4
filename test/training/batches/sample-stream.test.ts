import {unlink} from 'node:fs/promises';
import {setImmediate} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {BatchQueues} from '../../../lib/datasets/batch-queues.ts';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import {MixtureSampler} from '../../../lib/datasets/mixture-sampler.ts';
import {ArgumentError, FileError, InternalError} from '../../../lib/errors.ts';
import {clipDefaults, preprocessForClip} from '../../../lib/images/clip-preprocess.ts';
import {decodeImage} from '../../../lib/images/decode-image.ts';
import {coverToTensor} from '../../../lib/images/latent-image.ts';
import {
  type AdapterSampleOptions,
  adapterSamples,
  type PreparedSample,
} from '../../../lib/training/batches/adapter-samples.ts';
import {chooseForSample, defaultDropout} from '../../../lib/training/batches/sample-choices.ts';
import type {SampleStream} from '../../../lib/training/batches/sample-stream.ts';
import {liveThreads} from '../../_helpers/live-threads.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

const options: AdapterSampleOptions = {
  seed: 5,
  dropout: defaultDropout,
  numTrainTimesteps: 1000,
  buckets: [[64, 64]] as const,
  preprocess: {...clipDefaults, size: 32, cropSize: 32},
  batchSize: 1,
  numWorkers: 0,
  scaleFactor: 8,
};

const sizes = [
  [48, 32],
  [30, 61],
] as const;

async function streamOf(
  t: ExecutionContext,
  changes: Partial<AdapterSampleOptions> = {},
  bad: readonly number[] = [],
) {
  const dataset = await openDataset(await writeTrainingSet(t, {sizes, bad}));
  return {dataset, stream: adapterSamples(dataset, {...options, ...changes})};
}

/** Samples of the next batches. */
async function take(stream: SampleStream<PreparedSample>, count: number): Promise<unknown[]> {
  const samples: unknown[] = [];
  for (let i = 0; i < count; i++) samples.push(...(await stream.nextBatch()).map(contents));
  return samples;
}

function contents({generator, ...sample}: PreparedSample) {
  return {...sample, noise: generator.randn([4])};
}

for (const numWorkers of [0, 1, 3]) {
  test.serial(
    `with ${numWorkers} threads, samples are those of the sampler, prepared one by one; no thread stays`,
    async t => {
      const {dataset, stream} = await streamOf(t, {numWorkers});
      const sampler = new MixtureSampler(dataset.samples, {seed: options.seed});
      for (let i = 0; i < 12; i++) {
        const {sample, generator} = sampler.next();
        const instructions = dataset.instructions.get(sample.task)!;
        const {preprocess} = options;
        const expected = {
          prompt: sample.prompt,
          choices: chooseForSample(generator, {...options, instructions}),
          target: {
            pixels: {
              shape: [1, 3, 64, 64],
              data: await coverToTensor(await decodeImage(sample.target.file), 64, 64),
            },
            entry: undefined,
          },
          condition: {
            pixels: {
              shape: [1, 3, 32, 32],
              data: await preprocessForClip(await decodeImage(sample.condition.file), preprocess),
            },
            entry: undefined,
          },
          noise: generator.randn([4]),
        };
        t.deepEqual(await take(stream, 1), [expected]);
        t.deepEqual(stream.state, {...sampler.state, waiting: []});
      }
      t.is(liveThreads.size, numWorkers);
      await stream.stop();
      t.is(liveThreads.size, 0);
    },
  );
}

test.serial('a state and a stop are of what was delivered, not of what is under way', async t => {
  const {dataset, stream} = await streamOf(t, {numWorkers: 2});
  await take(stream, 3);
  const {state} = stream;
  await stream.stop();
  t.deepEqual(stream.state, state);
  const other = adapterSamples(dataset, options, structuredClone(state));
  t.deepEqual(await take(stream, 5), await take(other, 5));
  await stream.stop();
  t.is(liveThreads.size, 0);
});

test.serial('stopped while pictures are under way, nothing hangs or is left unhandled', async t => {
  const {stream} = await streamOf(t, {numWorkers: 3, batchSize: 16});
  const [first] = await Promise.allSettled([stream.nextBatch(), stream.stop()]);
  t.is(first!.status, 'rejected');
  t.is(liveThreads.size, 0);
  t.is((await take(stream, 1)).length, 16);
  await stream.stop();
});

test.serial('a thread that ends in its work is told, and the stream can go on', async t => {
  const {dataset, stream} = await streamOf(t, {numWorkers: 1});
  const first = stream.nextBatch();
  await setImmediate();
  for (const thread of liveThreads) void thread.terminate();
  await t.throwsAsync(first, {instanceOf: InternalError, message: /thread/});
  await stream.stop();
  t.is(liveThreads.size, 0);
  t.deepEqual(await take(stream, 3), await take(adapterSamples(dataset, options), 3));
  await stream.stop();
});

test.serial('samples that cannot be read are passed over alike with and without threads', async t => {
  const seen = [];
  for (const numWorkers of [0, 2]) {
    const dataset = await openDataset(await writeTrainingSet(t, {bad: [1]}));
    await unlink(dataset.samples[4]!.condition.file);
    const stream = adapterSamples(dataset, {...options, numWorkers});
    await take(stream, 8);
    const before = stream.state;
    const error = await t.throwsAsync(take(stream, 60), {
      instanceOf: FileError,
      message: /of 2\d samples cannot be read, more than a tenth/,
    });
    const places = stream.problems.map(({place}) => place.split(':').at(-1));
    seen.push({before, after: stream.state, places, message: error!.message.replaceAll(dataset.folder, '')});
    await stream.stop();
    t.is(liveThreads.size, 0);
  }
  t.deepEqual(seen[0], seen[1]);
  t.deepEqual(seen[0]!.places.toSorted(), ['2', '5']);
});

test.serial(
  'a task without instructions is told when its turn comes, however many are under way',
  async t => {
    for (const numWorkers of [0, 2]) {
      const {dataset} = await streamOf(t);
      const stream = adapterSamples(
        {...dataset, instructions: new Map([['style', ['use the style']]])},
        {...options, numWorkers, taskWeights: {style: 9, face: 1}},
      );
      await t.throwsAsync(take(stream, 60), {instanceOf: ArgumentError, message: /instructions/});
      t.is(stream.state.taken['face'], undefined);
      t.true(stream.state.draws > 0);
      await stream.stop();
      t.is(liveThreads.size, 0);
    }
  },
);

const buckets = [
  [64, 64],
  [80, 48],
  [32, 64],
] as const;

/** Of a prepared target. */
const sizeOf = (sample: PreparedSample) => {
  if ('encoded' in sample.target) throw new Error('expected pixels');
  const [, , height, width] = sample.target.pixels.shape;
  return `${width}x${height}`;
};

test.serial(
  'in buckets, batches have one size, and come as queues of the sampler’s draws are full',
  async t => {
    const {dataset, stream} = await streamOf(t, {numWorkers: 2, batchSize: 3, buckets});
    const sampler = new MixtureSampler(dataset.samples, {seed: options.seed});
    const queues = new BatchQueues<string>(3);
    const expected: (readonly string[])[] = [];
    while (expected.length < 8) {
      const {sample, draw} = sampler.next();
      // Pictures of 48 x 32 and 30 x 61 in turn.
      const batch = queues.add(['80x48', '32x64'][draw.sample % 2]!, sample.prompt);
      if (batch !== undefined) expected.push(batch);
    }
    for (const prompts of expected) {
      const batch = await stream.nextBatch();
      t.deepEqual(
        batch.map(({prompt}) => prompt),
        prompts,
      );
      t.is(new Set(batch.map(sizeOf)).size, 1);
    }
    await stream.stop();
  },
);

test.serial(
  'in buckets, a stream goes on from a state or a stop with the bits of the one before',
  async t => {
    const {dataset, stream} = await streamOf(t, {numWorkers: 2, batchSize: 3, buckets});
    let sawWaiting = false;
    for (let i = 0; i < 5; i++) {
      await take(stream, 1);
      const {state} = stream;
      sawWaiting ||= state.waiting.length > 0;
      const other = adapterSamples(
        dataset,
        {...options, batchSize: 3, buckets},
        JSON.parse(JSON.stringify(state)),
      );
      t.deepEqual(other.state, state);
      if (i % 2 === 0) await stream.stop();
      t.deepEqual(stream.state, state);
      t.deepEqual(await take(stream, 2), await take(other, 2));
      t.deepEqual(other.state, stream.state);
    }
    t.true(sawWaiting);
    await stream.stop();
  },
);

test('a state of another training set is refused', async t => {
  const {dataset} = await streamOf(t);
  const state = {draws: 3, taken: {}, waiting: [{number: 2, sample: 6}]};
  t.throws(() => adapterSamples(dataset, options, state), {
    instanceOf: ArgumentError,
    message: /training set/,
  });
});

test('refuses a number of threads that is none', async t => {
  await t.throwsAsync(streamOf(t, {numWorkers: -1}), {instanceOf: ArgumentError, message: /numWorkers/});
});

test('the package has what threads load beside its bundles, for both kinds of modules', async t => {
  const missing = {file: '/none'};
  for (const name of ['prepare-pictures.js', 'prepare-pictures.cjs']) {
    const {preparePicture} = await import(new URL(`../../../dist/${name}`, import.meta.url).href);
    const {reason} = await preparePicture({picture: missing, form: {buckets}});
    t.regex(reason, /cannot be read/, name);
  }
});
