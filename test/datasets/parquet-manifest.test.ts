import {copyFile, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {readParquetManifest} from '../../lib/datasets/parquet-manifest.ts';
import {FileError} from '../../lib/errors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const fixture = (name: string) => new URL(`../fixtures/datasets/manifest-${name}.parquet`, import.meta.url);

for (const compression of ['none', 'snappy', 'gzip', 'zstd']) {
  test(`rows are samples in their order; bad ones are problems with their numbers (${compression})`, async t => {
    const folder = await tempFolder(t);
    const path = join(folder, 'manifest.parquet');
    await copyFile(fixture(compression), path);
    const {samples, problems} = await openDataset(folder);
    const [a, b] = [{file: join(folder, 'images/10.png')}, {file: join(folder, 'images/20.png')}];
    t.deepEqual(samples, [
      {prompt: 'a boat', task: 'style', target: a, condition: b, place: `${path}:1`},
      {prompt: 'Möwe', task: 'object', objectName: 'teapot', target: b, condition: a, place: `${path}:2`},
      {prompt: '', task: 'style', target: a, condition: b, place: `${path}:6`},
    ]);
    t.deepEqual(
      problems.map(({place}) => place),
      [3, 4, 5].map(row => `${path}:${row}`),
    );
    for (const [index, reason] of [/prompt/, /folder/, /task/].entries()) {
      t.regex(problems[index]!.reason, reason);
    }
  });
}

test('samples of lines come before those of rows', async t => {
  const folder = await tempFolder(t);
  await copyFile(fixture('snappy'), join(folder, 'manifest.parquet'));
  const line = {target: 'a.png', condition: 'b.png', prompt: 'a line', task: 'face'};
  await writeFile(join(folder, 'manifest.jsonl'), JSON.stringify(line));
  const {samples} = await openDataset(folder);
  t.deepEqual(
    samples.map(({prompt}) => prompt),
    ['a line', 'a boat', 'Möwe', ''],
  );
});

test('columns of other types, and missing ones, make every row a problem', async t => {
  const folder = await tempFolder(t);
  await copyFile(fixture('other'), join(folder, 'manifest.parquet'));
  const {samples, problems} = await readParquetManifest(folder);
  t.deepEqual([samples.length, problems.length], [0, 1]);
  t.regex(problems[0]!.reason, /target: .*string.*condition: /);
  await t.throwsAsync(openDataset(folder), {instanceOf: FileError, message: /manifest.parquet:1: target/});
});

test('what is no Parquet file is told', async t => {
  const folder = await tempFolder(t);
  for (const bytes of ['', 'x', 'no parquet file at all']) {
    await writeFile(join(folder, 'manifest.parquet'), bytes);
    await t.throwsAsync(openDataset(folder), {instanceOf: FileError, message: /expected a Parquet file/});
  }
});

testProp(
  'a damaged file is told, or read: nothing else is thrown, and nothing hangs',
  [fc.constantFrom('none', 'snappy', 'gzip', 'zstd'), fc.nat(), fc.nat(255), fc.boolean()],
  async (t, name, place, value, isCut) => {
    const folder = await tempFolder(t);
    const path = join(folder, 'manifest.parquet');
    const bytes = await readFile(fixture(name));
    const at = place % bytes.length;
    bytes[at] = value;
    await writeFile(path, bytes);
    if (isCut) await truncate(path, at);
    try {
      const {samples} = await readParquetManifest(folder);
      t.true(samples.every(({target}) => target.file.startsWith(folder)));
    } catch (error) {
      t.true(error instanceof FileError, String(error));
    }
  },
  {numRuns: 400},
);
