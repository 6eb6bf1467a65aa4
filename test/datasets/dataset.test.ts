import {execFile} from 'node:child_process';
import {mkdir, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {promisify} from 'node:util';
import test from 'ava';
import sharp from 'sharp';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {readDatasetImage} from '../../lib/datasets/dataset-image.ts';
import {FileError} from '../../lib/errors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const run = promisify(execFile);

const png = (red: number) =>
  sharp({create: {width: 3, height: 2, channels: 3, background: {r: red, g: 0, b: 0}}})
    .png()
    .toBuffer();

async function writeFolder(folder: string, lines: readonly string[]): Promise<void> {
  await mkdir(join(folder, 'images'), {recursive: true});
  for (const red of [10, 20]) await writeFile(join(folder, `images/${red}.png`), await png(red));
  await writeFile(join(folder, 'manifest.jsonl'), lines.join('\n'));
}

const line = (fields: object) =>
  JSON.stringify({
    target: 'images/10.png',
    condition: 'images/20.png',
    prompt: 'p',
    task: 'style',
    ...fields,
  });

test('a manifest, with blank lines, and pools of instructions', async t => {
  const folder = await tempFolder(t);
  await writeFolder(folder, [line({}), '', line({task: 'object', objectName: 'teapot'})]);
  await mkdir(join(folder, 'instructions'));
  await writeFile(join(folder, 'instructions/style.txt'), 'use the style\r\n\n  take its manner  \n');
  const {samples, instructions, problems} = await openDataset(folder);
  t.deepEqual(problems, []);
  t.deepEqual(
    samples.map(({task, objectName}) => [task, objectName]),
    [
      ['style', undefined],
      ['object', 'teapot'],
    ],
  );
  t.deepEqual([...instructions], [['style', ['use the style', 'take its manner']]]);
  const image = await readDatasetImage(samples[0]!.condition);
  t.deepEqual([image.width, image.height, image.data[0]], [3, 2, 20]);
});

test('bad lines are left out, each with its place and reason; nothing outside of the folder is named', async t => {
  const folder = await tempFolder(t);
  await writeFolder(folder, [
    '{"target":',
    line({prompt: 7}),
    line({task: 'no/task'}),
    line({target: '../secret.png'}),
    line({condition: '/etc/passwd'}),
    line({}),
  ]);
  const {samples, problems} = await openDataset(folder);
  t.is(samples.length, 1);
  t.deepEqual(
    problems.map(({place}) => place.replace(/.*:/, '')),
    ['1', '2', '3', '4', '5'],
  );
  for (const [index, reason] of [/JSON/, /prompt/, /task/, /folder/, /folder/].entries()) {
    t.regex(problems[index]!.reason, reason);
  }
});

/** A shard as WebDataset writes it, by the system's tar in the given format. */
async function writeShard(folder: string, format: string): Promise<string> {
  const content = join(folder, 'content');
  const deep = 'a-folder-with-a-name-of-some-length/'.repeat(4);
  await mkdir(join(content, deep), {recursive: true});
  for (const [index, key] of ['0001', `${deep}0002`].entries()) {
    await writeFile(join(content, `${key}.target.png`), await png(30 + index));
    await writeFile(join(content, `${key}.condition.png`), await png(40 + index));
    await writeFile(join(content, `${key}.json`), JSON.stringify({prompt: `p${index}`, task: 'face'}));
  }
  await writeFile(join(content, '0003.json'), '{}');
  const shard = join(folder, 'shard-000.tar');
  await run('tar', [`--format=${format}`, '-cf', shard, '-C', content, '.']);
  return shard;
}

for (const format of ['gnu', 'pax']) {
  test(`a shard in the format ${format}, with long names, read without unpacking`, async t => {
    const folder = await tempFolder(t);
    await writeShard(folder, format);
    const {samples, problems} = await openDataset(folder);
    const byPrompt = samples.toSorted((a, b) => a.prompt.localeCompare(b.prompt));
    t.deepEqual(
      byPrompt.map(({prompt}) => prompt),
      ['p0', 'p1'],
    );
    t.is((await readDatasetImage(byPrompt[1]!.target)).data[0], 31);
    t.is((await readDatasetImage(byPrompt[1]!.condition)).data[0], 41);
    t.is(problems.length, 1);
    t.regex(problems[0]!.reason, /no target, no condition/);
  });
}

test('a truncated shard, and one that is none, are told', async t => {
  const folder = await tempFolder(t);
  const shard = await writeShard(folder, 'gnu');
  const {length} = await readFile(shard);
  await truncate(shard, length - 10_240);
  await t.throwsAsync(openDataset(folder), {instanceOf: FileError, message: /truncated/});
  await writeFile(shard, Buffer.alloc(2048, 'x'));
  await t.throwsAsync(openDataset(folder), {instanceOf: FileError, message: /tar header/});
});

test('a folder without samples, and no folder', async t => {
  const folder = await tempFolder(t);
  await t.throwsAsync(openDataset(folder), {instanceOf: FileError, message: /none/});
  await t.throwsAsync(openDataset(join(folder, 'none')), {instanceOf: FileError});
  await writeFolder(folder, ['x']);
  await t.throwsAsync(openDataset(folder), {
    instanceOf: FileError,
    message: /manifest.jsonl:1: not a line of JSON/,
  });
});
