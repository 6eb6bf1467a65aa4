import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {type BuildDatasetOptions, buildDataset} from '../../lib/builders/build-dataset.ts';
import {instantStylePainter, scribblePainter} from '../../lib/builders/painters.ts';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {folderContents} from '../_helpers/folder-contents.ts';
import {inReference} from '../_helpers/reference-paths.ts';
import {celebA, coco, commonCatalog, journeyDb, pictureFolders, writeTree} from '../_helpers/source-trees.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {optionsFor, trained} from '../_helpers/tiny-training.ts';

const styling = await IPAdapterInstructPipeline.random({adapter: 'plus'});
const drawing = await IPAdapterInstructPipeline.load({
  model: inReference('model'),
  controlNets: [inReference('controlnet')],
});
const painting = {size: 64, generation: {numInferenceSteps: 1}};

type Case = Omit<BuildDatasetOptions, 'count'>;

const cases: Readonly<Record<string, (t: ExecutionContext) => Promise<Case>>> = {
  'replication of JourneyDB': async t => ({task: 'replication', source: await journeyDb(t)}),
  'object of COCO': async t => ({task: 'object', source: await coco(t), crop: 'mask'}),
  'face of CelebA': async t => ({task: 'face', source: await celebA(t)}),
  'style of tables': async t => ({
    task: 'style',
    source: await commonCatalog(t),
    prompts: join(await writeTree(t, {'prompts.txt': 'a cat\na dog\n\na house\n'}), 'prompts.txt'),
    painter: instantStylePainter({...painting, pipeline: styling, batchSize: 2}),
  }),
  'composition of tables': async t => ({
    task: 'composition',
    source: await commonCatalog(t),
    painter: scribblePainter({...painting, pipeline: drawing}),
  }),
  'replication of a folder': async t => ({task: 'replication', source: await pictureFolders(t)}),
  'object of folders': async t => ({task: 'object', source: await pictureFolders(t)}),
  'face of folders': async t => ({task: 'face', source: await pictureFolders(t)}),
};

for (const [name, optionsOf] of Object.entries(cases)) {
  test.serial(
    `${name}: interrupted and begun again, it is what an unbroken build gives, and trains`,
    async t => {
      const options = {size: 64, seed: 3, count: 5, ...(await optionsOf(t))};
      const [unbroken, broken] = [await tempFolder(t), await tempFolder(t)];
      const card = await buildDataset(unbroken, options);
      t.is(card.count, 5);

      const controller = new AbortController();
      const interrupted = buildDataset(broken, {
        ...options,
        signal: controller.signal,
        onProgress: ({done}) => done === 2 && controller.abort(new Error('enough')),
      });
      await t.throwsAsync(interrupted, {message: 'enough'});
      await t.throwsAsync(openDataset(broken), {instanceOf: FileError});
      const second = await buildDataset(broken, options);
      t.deepEqual(second, card);
      const [{'build.jsonl': _a, ...expected}, {'build.jsonl': _b, ...files}] = [
        await folderContents(unbroken),
        await folderContents(broken),
      ];
      t.deepEqual(Object.keys(files), Object.keys(expected));
      t.deepEqual(files, expected);

      const dataset = await openDataset(unbroken);
      t.deepEqual([dataset.samples.length, dataset.problems], [5, []]);
      t.is(dataset.instructions.get(options.task)?.length, 1000);
      const {result} = await trained(await optionsFor(t, {dataset, steps: 10}));
      t.deepEqual(result, {step: 10, isFinished: true, problems: []});
    },
  );
}

test.serial('what cannot be used is left out and counted; fewer samples than asked for are told', async t => {
  const folder = await tempFolder(t);
  const card = await buildDataset(folder, {
    task: 'replication',
    source: await journeyDb(t),
    count: 20,
    size: 64,
  });
  t.deepEqual([card.count, card.wanted, card.leftOut], [6, 20, {'not readable': 2}]);
  t.deepEqual(card.licenses, {'not given': 6});
  const {samples} = await openDataset(folder);
  t.regex(samples[0]!.prompt, /^a drawn scene, number \d$/);
  t.deepEqual(samples[0]!.target, samples[0]!.condition);
  const readme = await readFile(join(folder, 'README.md'), 'utf8');
  t.regex(readme, /6 samples of 6 pictures/);
  t.regex(readme, /\| not readable \| 2 \|/);
  const sheet = await decodeImage(join(folder, 'contact-sheet.png'));
  t.true(sheet.width > 6 * 100);
});

test.serial('with a larger count a set grows, and its first samples stay', async t => {
  const [folder, whole] = [await tempFolder(t), await tempFolder(t)];
  const options = {task: 'replication' as const, source: await journeyDb(t), size: 64};
  const [few] = [await buildDataset(folder, {...options, count: 2})];
  t.is(few.count, 2);
  const first = (await openDataset(folder)).samples;
  const grown = await buildDataset(folder, {...options, count: 5});
  t.deepEqual((await openDataset(folder)).samples.slice(0, 2), first);
  t.deepEqual(grown, await buildDataset(whole, {...options, count: 5}));
});

test.serial('licences are those of the source, for each picture once', async t => {
  const {licenses, sources} = await buildDataset(await tempFolder(t), {
    task: 'replication',
    source: await commonCatalog(t, 4),
    count: 100,
    size: 64,
  });
  t.is(sources, 8);
  t.deepEqual(licenses, {'Attribution 0': 4, 'Attribution 1': 4});
});

test.serial('a captioner describes; what it cannot describe is left out', async t => {
  const folder = await tempFolder(t);
  let asked = 0;
  const captioner = {
    description: 'a counter',
    describe: async () => (asked++ % 2 === 0 ? 'described' : undefined),
  };
  const options = {task: 'face' as const, source: await celebA(t), count: 3, size: 64, captioner};
  const card = await buildDataset(folder, options);
  t.deepEqual([card.count, card.settings['captions']], [3, 'a counter']);
  t.true(card.leftOut['no caption']! >= 2);
  t.true((await openDataset(folder)).samples.every(({prompt}) => prompt === 'described'));
});

test.serial('a build goes on with its own settings only, and in its own folder', async t => {
  const folder = await tempFolder(t);
  const options = {task: 'replication' as const, source: await journeyDb(t), count: 1, size: 64};
  await buildDataset(folder, options);
  await t.throwsAsync(buildDataset(folder, {...options, size: 96}), {
    instanceOf: ArgumentError,
    message: /^size: expected 64, with which .* was begun, got 96/,
  });
  const foreign = await writeTree(t, {'thesis.txt': 'years of work'});
  await t.throwsAsync(buildDataset(foreign, options), {instanceOf: FileError, message: /other files/});
  t.deepEqual(Object.keys(await folderContents(foreign)), ['thesis.txt']);
});

test.serial('bad options and sources are told', async t => {
  const folder = join(await tempFolder(t), 'out');
  const source = await pictureFolders(t);
  const cases: [Partial<BuildDatasetOptions>, RegExp][] = [
    [{task: 'everything' as 'style'}, /task: expected one of replication/],
    [{count: 0}, /count: expected an integer of at least 1/],
    [{concurrency: 0}, /concurrency: expected an integer of at least 1/],
    [{size: 8}, /size: expected an integer from 64/],
    [{seed: -1}, /seed: expected/],
    [{task: 'object', crop: 'round' as 'box'}, /crop: expected one of box, mask/],
    [{task: 'style'}, /expected painter and prompts for the task "style"/],
    [{task: 'composition'}, /expected painter for the task/],
  ];
  for (const [changes, message] of cases) {
    const built = buildDataset(folder, {task: 'replication', source, count: 1, ...changes});
    await t.throwsAsync(built, {instanceOf: ArgumentError, message});
  }
  const empty = await writeTree(t, {'a.txt': 'no pictures'});
  for (const task of ['replication', 'object', 'face'] as const) {
    const built = buildDataset(folder, {task, source: empty, count: 1});
    await t.throwsAsync(built, {instanceOf: FileError, message: /expected pictures/});
  }
  const silent = await writeTree(t, {
    'a.png': await readFile(new URL('../fixtures/reference/condition.png', import.meta.url)),
  });
  await t.throwsAsync(buildDataset(folder, {task: 'replication', source: silent, count: 1}), {
    instanceOf: FileError,
    message: /expected at least one sample, got none: 1 of 1 for "no caption"/,
  });
});

test.serial('a line that was cut off, and one without its pictures, are made again', async t => {
  const folder = await tempFolder(t);
  const options = {task: 'replication' as const, source: await journeyDb(t), count: 4, size: 64};
  const card = await buildDataset(folder, options);
  const path = join(folder, 'build.jsonl');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.slice(0, -20));
  t.deepEqual(await buildDataset(folder, options), card);
});
