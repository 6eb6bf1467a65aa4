import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {type Dataset, openDataset} from '../../../lib/datasets/dataset.ts';
import {FileWeights} from '../../../lib/engine/file-weights.ts';
import {FileError, NumericError} from '../../../lib/errors.ts';
import {decodeImage} from '../../../lib/images/decode-image.ts';
import {ImageAdapter} from '../../../lib/pipelines/components/image-adapter.ts';
import {generate} from '../../../lib/pipelines/generate.ts';
import {IPAdapterInstructPipeline} from '../../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {memoryUsage} from '../../../lib/runtime/memory.ts';
import {Trainer} from '../../../lib/training/trainer.ts';
import type {WatchEvent} from '../../../lib/training/trainer-options.ts';
import {generateSamples, sampleRequests} from '../../../lib/training/watch/validation-samples.ts';
import {validationSetOf} from '../../../lib/training/watch/validation-set.ts';
import {openWeights} from '../../../lib/weights/open-weights.ts';
import {decodeMessage, readEventFile} from '../../_helpers/read-event-file.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';
import {initial, models, optionsFor, trained} from '../../_helpers/tiny-training.ts';
import {writeTrainingSet} from '../../_helpers/training-set.ts';

const resolution = 64;
/** Samples alone, of few steps. */
const samplesOnly = {lossEvery: 0, numInferenceSteps: 2};
const adapter = models.adapter!;

/** The events, all of which are samples. */
function samplesOf(events: readonly WatchEvent[]) {
  return events.map(event => {
    if (event.kind !== 'samples') throw new Error(JSON.stringify(event));
    return event;
  });
}

function setupFor(dataset: Dataset) {
  const requests = sampleRequests(dataset, {samplesPerTask: 1, instructionsPerSample: 2, seed: 5});
  const dtype = 'float32' as const;
  return {
    models: {...models, adapter},
    requests,
    dtype,
    buckets: [[resolution, resolution]] as const,
    numInferenceSteps: 2,
  };
}

test('each task has its first samples, with instructions in turn, no more than there are', async t => {
  const folder = await writeTrainingSet(t);
  await writeFile(join(folder, 'instructions/face.txt'), 'take the face\nthe object\nwho is it?');
  const dataset = await openDataset(folder);
  const requests = sampleRequests(dataset, {samplesPerTask: 2, instructionsPerSample: 2, seed: 5});
  t.deepEqual(
    requests.map(({sample, instructions, seed}) => [sample.prompt, instructions, seed]),
    [
      ['colour 1', ['take the face', 'the object'], 5],
      ['colour 3', ['who is it?', 'take the face'], 6],
      ['colour 0', ['use the style', 'take the style'], 5],
      ['colour 2', ['use the style', 'take the style'], 6],
    ],
  );
  const many = sampleRequests(dataset, {samplesPerTask: 9, instructionsPerSample: 9, seed: 0});
  t.deepEqual(
    many.map(({instructions}) => instructions.length),
    [3, 3, 3, 2, 2, 2],
  );
});

test.serial("pictures are those of a pipeline with the checkpoint's adapter; no memory stays", async t => {
  const dataset = await openDataset(await writeTrainingSet(t));
  const options = await optionsFor(t, {steps: 2});
  const {weights} = await trained(options);
  const {rows, problems} = await generateSamples(setupFor(dataset), weights);
  t.deepEqual(problems, []);
  t.deepEqual(
    rows.map(({sample, results}) => [sample.task, results.map(({instruction}) => instruction)]),
    [
      ['face', ['use the face', 'take the face']],
      ['style', ['use the style', 'take the style']],
    ],
  );
  const {tensors} = await openWeights(join(options.folder, 'checkpoint-00000002/adapter.safetensors'));
  const {description, layers} = adapter.adapter;
  const settings = {engine: models.engine, dtype: 'float32' as const};
  const loaded = new ImageAdapter(settings, new FileWeights('adapter', tensors), description, layers);
  const {images} = await generate(
    {...models, adapter: {...adapter, adapter: loaded}},
    {
      prompt: 'colour 0',
      instruction: 'take the style',
      ipAdapterImage: join(dataset.folder, '0.png'),
      numInferenceSteps: 2,
      height: resolution,
      width: resolution,
      seed: 5,
    },
  );
  t.deepEqual(rows[1]!.results[1]!.picture, images[0]!.image);
  t.notDeepEqual(rows[1]!.results[0]!.picture, images[0]!.image);
  const before = memoryUsage().bufferBytes;
  await generateSamples(setupFor(dataset), weights);
  t.is(memoryUsage().bufferBytes, before);
});

test.serial(
  'grids are files of the run and pictures in TensorBoard, of the steps that are due and the last',
  async t => {
    const validationSet = await openDataset(await writeTrainingSet(t));
    const validation = {...samplesOnly, samplesEvery: 2, samplesPerTask: 3};
    const options = await optionsFor(t, {steps: 3, validationSet, validation});
    const {seen} = await trained(options);
    t.deepEqual(
      samplesOf(seen).map(({step, file, problems}) => [step, file, problems]),
      [2, 3].map(step => [step, join(options.folder, `samples/step-0000000${step}.png`), []]),
    );
    const png = await readFile(samplesOf(seen)[1]!.file);
    const {width, height} = await decodeImage(png);
    // Six rows of condition, target and two pictures.
    t.is(width, 8 + 4 * (resolution + 8));
    t.is(height, 8 + 6 * (resolution + 28 + 8));
    const folder = join(options.folder, 'tensorboard');
    const events = await readEventFile(join(folder, (await readdir(folder))[0]!));
    const value = decodeMessage(
      decodeMessage(events.at(-1)!.get(5)![0] as Buffer)
        .get(1)!
        .at(-1) as Buffer,
    );
    const image = decodeMessage(value.get(4)![0] as Buffer);
    t.deepEqual([String(value.get(1)![0]), image.get(1), image.get(2)], ['samples', [height], [width]]);
    t.true(png.equals(image.get(4)![0] as Buffer));
    // Their metrics are curves beside them, and lines of metrics.jsonl.
    const {metrics} = samplesOf(seen)[1]!;
    const curves = decodeMessage(events.at(-1)!.get(5)![0] as Buffer)
      .get(1)!
      .slice(0, -1)
      .map(curve => decodeMessage(curve as Buffer));
    const expected = Object.entries(metrics).flatMap(([name, perTask]) =>
      Object.entries(perTask).map(([task, scalar]) => [`${name}/${task}`, Math.fround(scalar)]),
    );
    t.is(expected.length, 4);
    t.deepEqual(
      curves.map(curve => [String(curve.get(1)![0]), curve.get(2)![0]]),
      expected,
    );
    const lines = (await readFile(join(options.folder, 'metrics.jsonl'), 'utf8')).trim().split('\n');
    t.deepEqual(JSON.parse(lines.at(-1)!), seen[1]);
    // A moving average has pictures of its own.
    const averaged = await optionsFor(t, {steps: 3, validationSet, validation, ema: {decay: 0.99}});
    t.false(png.equals(await readFile(samplesOf((await trained(averaged)).seen)[1]!.file)));
  },
);

test.serial('a sample that cannot be read has no row; without any, it is a failure', async t => {
  const dataset = await openDataset(await writeTrainingSet(t, {bad: [0]}));
  const {rows, problems} = await generateSamples(setupFor(dataset), initial);
  t.deepEqual(
    rows.map(({sample}) => sample.task),
    ['face'],
  );
  t.regex(problems[0]!.place, /manifest\.jsonl:1$/);
  const unreadable = await openDataset(await writeTrainingSet(t, {bad: [0, 1]}));
  await t.throwsAsync(generateSamples(setupFor(unreadable), initial), {instanceOf: FileError});
});

test.serial(
  'a failure loses nothing: not of weights that are spoilt, nor of a full or forbidden place',
  async t => {
    const dataset = await openDataset(await writeTrainingSet(t));
    const spoilt = new Map(
      [...initial].map(([name, {shape, data}]) => [name, {shape, data: data.map(() => NaN)}]),
    );
    await t.throwsAsync(generateSamples(setupFor(dataset), spoilt), {instanceOf: NumericError});
    const options = await optionsFor(t, {
      steps: 3,
      validationSet: dataset,
      validation: {...samplesOnly, samplesEvery: 2},
    });
    await writeFile(join(options.folder, 'samples'), 'in the way');
    const {seen, result, weights} = await trained(options);
    t.true(result.isFinished);
    t.deepEqual(
      seen.map(event => [event.kind, event.step]),
      [
        ['failure', 2],
        ['failure', 3],
      ],
    );
    const {validationSet: _, ...without} = {...options, folder: await tempFolder(t)};
    t.deepEqual(weights, (await trained(without)).weights);
  },
);

test.serial('an abort ends it between two ops, and no memory stays', async t => {
  const dataset = await openDataset(await writeTrainingSet(t));
  const before = memoryUsage().bufferBytes;
  const controller = new AbortController();
  const running = generateSamples({...setupFor(dataset), numInferenceSteps: 500}, initial, controller);
  setTimeout(() => controller.abort(new Error('enough')), 300);
  await t.throwsAsync(running, {message: 'enough'});
  t.is(memoryUsage().bufferBytes, before);
});

test.serial('a run that is aborted in a look saves its step, and tells of the looks before', async t => {
  const validationSet = await openDataset(await writeTrainingSet(t));
  const validation = {lossEvery: 1, drawsPerTask: 1, samplesEvery: 1, numInferenceSteps: 500};
  const options = await optionsFor(t, {validationSet, validation, checkpointEvery: 100});
  const trainer = await Trainer.create(options);
  const controller = new AbortController();
  const seen: string[] = [];
  const result = await trainer.train({
    signal: controller.signal,
    onWatch: ({kind}) => {
      seen.push(kind);
      setTimeout(() => controller.abort(), 100);
    },
  });
  trainer.dispose();
  t.deepEqual(seen, ['validation']);
  t.deepEqual([result.step, result.isFinished], [1, false]);
  t.true((await readdir(options.folder)).includes('checkpoint-00000001'));
});

test.serial('pictures have the size of the bucket that is nearest to the target', async t => {
  const dataset = await openDataset(await writeTrainingSet(t, {sizes: [[48, 20]]}));
  const buckets = [
    [64, 64],
    [128, 64],
  ] as const;
  const {rows} = await generateSamples({...setupFor(dataset), buckets}, initial);
  for (const {picture} of rows.flatMap(({results}) => results)) {
    t.deepEqual([picture.width, picture.height], [128, 64]);
  }
});

test.serial('an adapter without instructions makes one picture a sample', async t => {
  const plus = await IPAdapterInstructPipeline.random({adapter: 'plus'});
  const dataset = validationSetOf(await openDataset(await writeTrainingSet(t)), {readsInstruction: false});
  const weights = new Map([...initial].filter(([name]) => !/prompt|new_input/.test(name)));
  const setup = {...setupFor(dataset), models: {...plus.models, adapter: plus.models.adapter!}};
  const {rows} = await generateSamples(setup, weights);
  t.deepEqual(
    rows.map(({results}) => results.length),
    [1, 1],
  );
  await plus.dispose();
});
