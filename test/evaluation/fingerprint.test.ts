import {mkdir, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {openDataset} from '../../lib/datasets/dataset.ts';
import {FileError} from '../../lib/errors.ts';
import {datasetFingerprint, fingerprint} from '../../lib/evaluation/fingerprint.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {drawnSet} from '../_helpers/tiny-evaluation.ts';
import {writeTrainingSet} from '../_helpers/training-set.ts';

test('of a file it is SHA-256', async t => {
  const path = join(await tempFolder(t), 'file');
  await writeFile(path, 'abc');
  t.is(await fingerprint(path), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('of a folder it changes with names and contents, and not with its place', async t => {
  const folder = join(await tempFolder(t), 'model');
  await mkdir(join(folder, 'unet'), {recursive: true});
  await writeFile(join(folder, 'unet', 'a'), '1');
  const first = await fingerprint(folder);
  await writeFile(join(folder, 'unet', 'a'), '2');
  const other = await fingerprint(folder);
  await rename(join(folder, 'unet', 'a'), join(folder, 'unet', 'b'));
  t.is(new Set([first, other, await fingerprint(folder)]).size, 3);
  await rename(folder, `${folder}-moved`);
  await rename(join(`${folder}-moved`, 'unet', 'b'), join(`${folder}-moved`, 'unet', 'a'));
  t.is(await fingerprint(`${folder}-moved`), other);
});

test('of a set it is what its card says, else of its samples, wherever it lies', async t => {
  const drawn = await openDataset(await drawnSet(t, 2));
  t.regex(await datasetFingerprint(drawn), /^[0-9a-f]{64}$/);
  const folder = await writeTrainingSet(t);
  const found = await datasetFingerprint(await openDataset(folder));
  await rename(folder, `${folder}-moved`);
  const moved = await openDataset(`${folder}-moved`);
  t.is(await datasetFingerprint(moved), found);
  const [first, ...others] = moved.samples;
  t.not(await datasetFingerprint({...moved, samples: [{...first!, prompt: 'another'}, ...others]}), found);
  await rename(`${folder}-moved`, folder);
});

test('what is not there is told', async t => {
  await t.throwsAsync(fingerprint(join(await tempFolder(t), 'none')), {instanceOf: FileError});
});
