import {readdir, readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import {ArgumentError} from '../../../lib/errors.ts';
import {Trainer} from '../../../lib/training/trainer.ts';
import type {TrainerOptions, WatchEvent} from '../../../lib/training/trainer-options.ts';
import {validationDraws} from '../../../lib/training/watch/validation.ts';
import {decodeMessage, readEventFile} from '../../_helpers/read-event-file.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';
import {optionsFor, trained} from '../../_helpers/tiny-training.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

const tasks = ['face', 'style'];
/** The loss alone: samples have tests of their own. */
const lossOnly = {samplesEvery: 0};
const draws = {drawsPerTask: 4, numTrainTimesteps: 1000, seed: 3};

/** The events, all of which are losses. */
function lossesOf(events: readonly WatchEvent[]) {
  return events.map(event => {
    if (event.kind !== 'validation') throw new Error(JSON.stringify(event));
    return event;
  });
}

test('draws of each task: timesteps over the whole range, instructions in turn, nothing dropped', async t => {
  const dataset = await openDataset(await writeTrainingSet(t));
  const made = validationDraws(dataset, draws);
  t.deepEqual(
    made.map(({sample}) => sample.prompt),
    ['colour 1', 'colour 3', 'colour 5', 'colour 1', 'colour 0', 'colour 2', 'colour 4', 'colour 0'],
  );
  t.deepEqual(
    made.slice(4).map(({choices, seed}) => [choices.timestep, choices.instruction, seed]),
    [
      [125, 'use the style', 3],
      [375, 'take the style', 4],
      [625, 'use the style', 5],
      [875, 'take the style', 6],
    ],
  );
  t.true(made.every(({choices: {keepsText, keepsImage}}) => keepsText && keepsImage));
  t.deepEqual(validationDraws(dataset, draws), made);
});

test('a task without instructions is told before training', async t => {
  const folder = await writeTrainingSet(t);
  await rm(join(folder, 'instructions/face.txt'));
  const options = await optionsFor(t, {validationSet: await openDataset(folder)});
  await t.throwsAsync(Trainer.create(options), {
    instanceOf: ArgumentError,
    message: /instructions\/face\.txt/,
  });
});

test.serial('the loss of weights that do not move is the same at every step, whatever is drawn', async t => {
  const validationSet = await openDataset(await writeTrainingSet(t));
  const validation = {...lossOnly, lossEvery: 2, drawsPerTask: 4};
  const {seen} = await trained(await optionsFor(t, {learningRate: 0, steps: 5, validationSet, validation}));
  const events = lossesOf(seen);
  t.deepEqual(
    events.map(({step}) => step),
    [2, 4, 5],
  );
  const [{loss, perTask}] = events as [(typeof events)[0]];
  t.deepEqual(Object.keys(perTask), tasks);
  t.true(loss > 0 && Math.abs(loss - (perTask['style']! + perTask['face']!) / 2) < 1e-12);
  for (const event of events) t.deepEqual([event.loss, event.perTask], [loss, perTask]);
  // Batches are another way through the same draws.
  const batched = lossesOf(
    (await trained(await optionsFor(t, {learningRate: 0, steps: 1, batchSize: 3, validationSet, validation})))
      .seen,
  );
  for (const task of tasks) t.true(Math.abs(batched[0]!.perTask[task]! / perTask[task]! - 1) < 1e-5);
});

test.serial(
  'it falls as the adapter learns, and is that of the moving average where there is one',
  async t => {
    const validationSet = await openDataset(await writeTrainingSet(t));
    const validation = {...lossOnly, drawsPerTask: 8};
    const lossAfter = async (steps: number, changes: Partial<TrainerOptions> = {}) => {
      const options = {
        steps,
        validationSet,
        validation,
        learningRate: 3e-3,
        batchSize: 2,
        checkpointEvery: 100,
        ...changes,
      };
      return lossesOf((await trained(await optionsFor(t, options))).seen).at(-1)!.loss;
    };
    const [first, last] = [await lossAfter(1), await lossAfter(30)];
    t.log(`${first} → ${last}`);
    t.true(last < 0.9 * first);
    // The first update takes the weights themselves (but for rounding); later ones lag behind.
    const ema = {decay: 0.99};
    t.true(Math.abs((await lossAfter(1, {ema})) / first - 1) < 1e-5);
    t.true(Math.abs((await lossAfter(30, {ema})) / last - 1) > 1e-3);
  },
);

test.serial('losses are lines of metrics.jsonl and curves in TensorBoard', async t => {
  const validationSet = await openDataset(await writeTrainingSet(t));
  const options = await optionsFor(t, {
    steps: 2,
    validationSet,
    validation: {...lossOnly, lossEvery: 1, drawsPerTask: 2},
  });
  const {seen, events} = await trained(options);
  const lines = (await readFile(join(options.folder, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  t.deepEqual(
    lines.map(line => JSON.parse(line)),
    [{kind: 'step', ...events[0]!}, seen[0], {kind: 'step', ...events[1]!}, seen[1]],
  );
  const folder = join(options.folder, 'tensorboard');
  const [file, ...others] = await readdir(folder);
  t.deepEqual(others, []);
  const curves = new Map<string, number>();
  for (const event of (await readEventFile(join(folder, file!))).slice(-2)) {
    for (const value of decodeMessage(event.get(5)![0] as Buffer).get(1)!) {
      const fields = decodeMessage(value as Buffer);
      curves.set(String(fields.get(1)![0]), fields.get(2)![0] as number);
    }
  }
  const [last] = lossesOf(seen).slice(-1);
  t.is(curves.get('train/loss'), Math.fround(events[1]!.loss));
  t.is(curves.get('train/learning_rate'), Math.fround(events[1]!.learningRate));
  t.is(curves.get('validation/loss'), Math.fround(last!.loss));
  t.is(curves.get('validation_loss/face'), Math.fround(last!.perTask['face']!));
});

test.serial('what cannot be read is left out and told; where nothing can be, training goes on', async t => {
  const validationSet = await openDataset(await writeTrainingSet(t, {bad: [0]}));
  const validation = {...lossOnly, lossEvery: 1, drawsPerTask: 3};
  const {seen} = await trained(await optionsFor(t, {steps: 1, validationSet, validation}));
  const [event] = lossesOf(seen);
  t.deepEqual(
    event!.problems.map(({place}) => place.replace(/.*\//, '')),
    ['manifest.jsonl:1'],
  );
  t.true(event!.loss > 0);
  const unreadable = await openDataset(await writeTrainingSet(t, {bad: [0, 1, 2, 3, 4, 5]}));
  const options = await optionsFor(t, {steps: 3, validation, validationSet: unreadable});
  const {seen: failures, result, weights} = await trained(options);
  t.true(result.isFinished);
  t.deepEqual(
    failures.map(failure => [failure.kind, failure.step]),
    [1, 2, 3].map(step => ['failure', step]),
  );
  const {validationSet: _, ...without} = {...options, folder: await tempFolder(t)};
  t.deepEqual(weights, (await trained(without)).weights);
});

test.serial('an abort ends a look at once and tells nothing of it; 0 is for never', async t => {
  const validationSet = await openDataset(await writeTrainingSet(t));
  const stopped = await optionsFor(t, {validationSet, validation: {...lossOnly, lossEvery: 1}});
  const {seen, result} = await trained(stopped, 1);
  t.deepEqual([seen, result.step, result.isFinished], [[], 1, false]);
  const never = await optionsFor(t, {steps: 1, validationSet, validation: {...lossOnly, lossEvery: 0}});
  t.deepEqual((await trained(never)).seen, []);
});

test.serial(
  'where there is a validation set, losses and samples are on by default, at the last step at least',
  async t => {
    const few = {drawsPerTask: 1, samplesPerTask: 1, instructionsPerSample: 1, numInferenceSteps: 1};
    const validationSet = await openDataset(await writeTrainingSet(t));
    const {seen} = await trained(await optionsFor(t, {steps: 2, validationSet, validation: few}));
    t.deepEqual(
      seen.map(({kind, step}) => [kind, step]),
      [
        ['validation', 2],
        ['samples', 2],
      ],
    );
    for (const wrong of [{lossEvery: -1}, {samplesEvery: 0.5}, {drawsPerTask: 0}, {numInferenceSteps: 0}]) {
      const options = await optionsFor(t, {validationSet, validation: {...few, ...wrong}});
      await t.throwsAsync(Trainer.create(options), {
        instanceOf: ArgumentError,
        message: new RegExp(Object.keys(wrong)[0]!),
      });
    }
  },
);

test.serial(
  'in buckets, and with what a cache has, the loss has the bits of a run without a cache',
  async t => {
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
    const validationSet = await openDataset(await writeTrainingSet(t, {sizes}));
    const validation = {...lossOnly, lossEvery: 1, drawsPerTask: 3};
    const run = async (changes: Partial<TrainerOptions>) => {
      const options = {steps: 1, learningRate: 0, batchSize: 2, buckets, validationSet, validation};
      return lossesOf((await trained(await optionsFor(t, {...options, ...changes}))).seen)[0]!;
    };
    const plain = await run({});
    const cacheFolder = await tempFolder(t);
    t.deepEqual(await run({cacheFolder}), plain);
    t.deepEqual(await run({cacheFolder}), plain);
  },
);
