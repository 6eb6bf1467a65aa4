import {readdir, readFile, truncate, writeFile} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {FileError} from '../../../lib/errors.ts';
import type {HostTensor} from '../../../lib/pipelines/host-tensor.ts';
import {entryPath, readEntry, writeEntry} from '../../../lib/training/batches/encoder-cache.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';

const tensors = new Map<string, HostTensor>([
  ['mean', {shape: [1, 2, 2], data: Float32Array.of(1.5, -0, 3e-41, 0.1)}],
  ['standardDeviation', {shape: [1, 2, 2], data: Float32Array.of(1, 2, 3, 4)}],
]);
const picture = Buffer.from('picture');

test('an entry comes back with its bits, from a folder of two digits, and nothing is left beside it', async t => {
  const folder = await tempFolder(t);
  const path = entryPath({folder, settings: 'vae'}, picture);
  t.is(readEntry(path), undefined);
  await writeEntry(path, tensors);
  t.deepEqual(readEntry(path), tensors);
  t.regex(basename(dirname(path)), /^[0-9a-f]{2}$/);
  t.deepEqual(await readdir(folder, {recursive: true}), [
    basename(dirname(path)),
    join(basename(dirname(path)), basename(path)),
  ]);
});

test('other pictures, settings and places have other entries', t => {
  const path = (settings: string, bytes: Uint8Array) => entryPath({folder: '', settings}, bytes);
  t.is(path('vae', picture), path('vae', Buffer.from('picture')));
  const others = [path('vae', picture), path('vae', Buffer.from('Picture')), path('vae 2', picture)];
  t.is(new Set(others).size, 3);
});

testProp(
  'an entry with any byte changed, or cut off anywhere, is none; it can be written anew',
  [fc.nat(), fc.integer({min: 1, max: 255}), fc.boolean()],
  async (t, place, change, isCut) => {
    const folder = await tempFolder(t);
    const path = entryPath({folder, settings: 'vae'}, picture);
    await writeEntry(path, tensors);
    const bytes = await readFile(path);
    const at = place % bytes.length;
    if (isCut) await truncate(path, at);
    else {
      bytes[at]! ^= change;
      await writeFile(path, bytes);
    }
    const read = readEntry(path);
    // Of the header, blanks and the order of names say nothing.
    if (read !== undefined) t.deepEqual(read, tensors);
    await writeEntry(path, tensors);
    t.deepEqual(readEntry(path), tensors);
  },
  {numRuns: 60},
);

test('an entry may be written by several at once', async t => {
  const path = entryPath({folder: await tempFolder(t), settings: 'vae'}, picture);
  await Promise.all(Array.from({length: 8}, () => writeEntry(path, tensors)));
  t.deepEqual(readEntry(path), tensors);
  t.deepEqual(await readdir(dirname(path)), [basename(path)]);
});

test('where it cannot be written is told', async t => {
  const folder = join(await tempFolder(t), 'file');
  await writeFile(folder, '');
  const path = entryPath({folder, settings: 'vae'}, picture);
  await t.throwsAsync(writeEntry(path, tensors), {instanceOf: FileError, message: /cacheFolder/});
});
