import {execFile} from 'node:child_process';
import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import {openDataset} from '../../../lib/datasets/dataset.ts';
import {readDatasetImage} from '../../../lib/datasets/dataset-image.ts';
import {factorsSchema} from '../../../lib/datasets/world/factors.ts';
import {renderSample} from '../../../lib/datasets/world/render-sample.ts';
import {worldSample, worldTasks} from '../../../lib/datasets/world/tasks.ts';
import {type WorldDatasetOptions, writeWorldDataset} from '../../../lib/datasets/world/write-world.ts';
import {ArgumentError, FileError} from '../../../lib/errors.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const options: WorldDatasetOptions = {count: 23, size: 32, seed: 5, split: 'train'};

for (const shardSize of [undefined, 10]) {
  const form = shardSize === undefined ? 'a manifest' : 'shards';
  test(`${form}: what is written is what openDataset reads`, async t => {
    const folder = join(await tempFolder(t), 'set');
    const card = await writeWorldDataset(folder, {...options, shardSize});
    const {samples, instructions, problems} = await openDataset(folder);
    t.deepEqual(problems, []);
    t.is(samples.length, 23);
    for (const [index, sample] of samples.entries()) {
      const expected = worldSample(worldTasks[index % 5]!, 'train', 5, index);
      const {prompt, task, objectName, conditionPrompt, targetPrompt} = sample;
      t.deepEqual(
        [prompt, task, objectName, conditionPrompt, targetPrompt],
        [
          expected.prompt,
          expected.task,
          expected.objectName,
          expected.conditionPrompt,
          expected.targetPrompt,
        ],
      );
      const pictures = await renderSample(expected, 32);
      t.deepEqual(
        new Uint8Array((await readDatasetImage(sample.target)).data),
        new Uint8Array(pictures.target.data),
      );
      t.deepEqual(
        new Uint8Array((await readDatasetImage(sample.condition)).data),
        new Uint8Array(pictures.condition.data),
      );
    }
    t.deepEqual([...instructions.keys()].sort(), [...worldTasks].sort());
    t.deepEqual(JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')), card);
    t.deepEqual(card.tasks, {replication: 5, style: 5, object: 5, composition: 4, face: 4});
  });
}

test('factors stand beside the samples, in their order', async t => {
  const folder = join(await tempFolder(t), 'set');
  await writeWorldDataset(folder, options);
  const lines = (await readFile(join(folder, 'factors.jsonl'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  t.is(lines.length, 23);
  for (const [index, {key, target, condition, task}] of lines.entries()) {
    t.is(key, `${index}`.padStart(9, '0'));
    t.is(task, worldTasks[index % 5]);
    t.deepEqual(factorsSchema.parse(target), target);
    t.deepEqual(factorsSchema.parse(condition.factors), condition.factors);
  }
});

test("shards are archives to the system's tar too", async t => {
  const folder = join(await tempFolder(t), 'set');
  await writeWorldDataset(folder, {...options, shardSize: 10});
  const shards = (await readdir(folder)).filter(name => name.endsWith('.tar'));
  t.deepEqual(shards.sort(), ['shard-000000.tar', 'shard-000001.tar', 'shard-000002.tar']);
  const {stdout} = await promisify(execFile)('tar', ['-tf', join(folder, 'shard-000002.tar')]);
  t.deepEqual(
    stdout.split('\n').slice(0, 3),
    ['target.png', 'condition.png', 'json'].map(end => `000000020.${end}`),
  );
});

test('equal options give the same hash in either form; another seed or split another', async t => {
  const folder = await tempFolder(t);
  let sets = 0;
  const hashOf = async (changed: Partial<WorldDatasetOptions>) =>
    (await writeWorldDataset(join(folder, `${sets++}`), {...options, ...changed})).sha256;
  const first = await hashOf({});
  t.is(await hashOf({shardSize: 4}), first);
  t.not(await hashOf({seed: 6}), first);
  t.not(await hashOf({split: 'validation'}), first);
});

test('an aborted set leaves nothing behind', async t => {
  const parent = await tempFolder(t);
  const controller = new AbortController();
  const reason = new Error('enough');
  const writing = writeWorldDataset(join(parent, 'set'), {
    ...options,
    signal: controller.signal,
    onProgress: () => controller.abort(reason),
  });
  t.is(await t.throwsAsync(writing), reason);
  t.deepEqual(await readdir(parent), []);
});

test('an empty folder is taken; one that is not, and a file, are refused and kept', async t => {
  const parent = await tempFolder(t);
  const folder = join(parent, 'set');
  await mkdir(folder);
  await writeWorldDataset(folder, {...options, count: 1});
  const before = await readdir(folder);
  await t.throwsAsync(writeWorldDataset(folder, options), {instanceOf: FileError, message: /empty folder/});
  t.deepEqual(await readdir(folder), before);
  await writeFile(join(parent, 'file'), 'x');
  await t.throwsAsync(writeWorldDataset(join(parent, 'file'), options), {instanceOf: FileError});
  t.deepEqual((await readdir(parent)).sort(), ['file', 'set']);
});

for (const [name, value] of [
  ['count', 0],
  ['count', 1.5],
  ['size', 8],
  ['shardSize', 0],
  ['seed', -1],
  ['split', 'dev'],
] as const) {
  test(`${name} ${value} is refused`, async t => {
    const parent = await tempFolder(t);
    const bad = {...options, [name]: value} as WorldDatasetOptions;
    const expected = {instanceOf: ArgumentError, message: new RegExp(name)};
    await t.throwsAsync(writeWorldDataset(join(parent, 'set'), bad), expected);
    t.deepEqual(await readdir(parent), []);
  });
}
