import {unlink} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {MixtureSampler} from '../../lib/datasets/mixture-sampler.ts';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {clipDefaults, preprocessForClip} from '../../lib/images/clip-preprocess.ts';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {imageToTensor} from '../../lib/images/latent-image.ts';
import {chooseForSample, defaultDropout} from '../../lib/training/sample-choices.ts';
import {
  type PreparedSample,
  SampleStream,
  type SampleStreamOptions,
} from '../../lib/training/sample-stream.ts';
import {liveThreads} from '../_helpers/live-threads.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

const options: SampleStreamOptions = {
  seed: 5,
  dropout: defaultDropout,
  numTrainTimesteps: 1000,
  resolution: 64,
  preprocess: {...clipDefaults, size: 32, cropSize: 32},
  batchSize: 2,
  numWorkers: 0,
};

const sizes = [
  [48, 32],
  [30, 61],
] as const;

async function streamOf(
  t: ExecutionContext,
  changes: Partial<SampleStreamOptions> = {},
  bad: readonly number[] = [],
) {
  const dataset = await openDataset(await writeTrainingSet(t, {sizes, bad}));
  return {dataset, stream: new SampleStream(dataset, {...options, ...changes})};
}

async function take(stream: SampleStream, count: number): Promise<unknown[]> {
  const samples: unknown[] = [];
  for (let i = 0; i < count; i++) samples.push(contents(await stream.next()));
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
        const {preprocess, resolution} = options;
        const expected = {
          prompt: sample.prompt,
          choices: chooseForSample(generator, {...options, instructions}),
          target: {
            pixels: {
              shape: [1, 3, 64, 64],
              data: await imageToTensor(await decodeImage(sample.target.file), resolution, resolution),
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
        t.deepEqual(contents(await stream.next()), expected);
        t.deepEqual(stream.state, sampler.state);
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
  const other = new SampleStream(dataset, options, structuredClone(state));
  t.deepEqual(await take(stream, 5), await take(other, 5));
  await stream.stop();
  t.is(liveThreads.size, 0);
});

test.serial('stopped while pictures are under way, nothing hangs or is left unhandled', async t => {
  const {stream} = await streamOf(t, {numWorkers: 3, batchSize: 16});
  const [first] = await Promise.allSettled([stream.next(), stream.stop()]);
  t.is(first!.status, 'rejected');
  t.is(liveThreads.size, 0);
  t.is((await take(stream, 1)).length, 1);
  await stream.stop();
});

test.serial('samples that cannot be read are passed over alike with and without threads', async t => {
  const seen = [];
  for (const numWorkers of [0, 2]) {
    const dataset = await openDataset(await writeTrainingSet(t, {bad: [1]}));
    await unlink(dataset.samples[4]!.condition.file);
    const stream = new SampleStream(dataset, {...options, numWorkers});
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
      const stream = new SampleStream(
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

test('refuses a number of threads or a resolution that is none', async t => {
  await t.throwsAsync(streamOf(t, {numWorkers: -1}), {instanceOf: ArgumentError, message: /numWorkers/});
  await t.throwsAsync(streamOf(t, {resolution: 60}), {instanceOf: ArgumentError, message: /multiple of 8/});
});

test('the package has what threads load beside its bundles, for both kinds of modules', async t => {
  const missing = {file: '/none'};
  for (const name of ['prepare-pictures.js', 'prepare-pictures.cjs']) {
    const {preparePictures} = await import(new URL(`../../dist/${name}`, import.meta.url).href);
    const {reason} = await preparePictures({...options, target: missing, condition: missing});
    t.regex(reason, /cannot be read/, name);
  }
});
