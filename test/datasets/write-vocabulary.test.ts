import {mkdir, readdir, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import test from 'ava';
import type {Dataset} from '../../lib/datasets/dataset.ts';
import {writeDatasetVocabulary} from '../../lib/datasets/write-vocabulary.ts';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {CLIPTokenizer} from '../../lib/tokenizer/clip-tokenizer.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const picture = {file: 'none.png'};
const sample = {task: 'object', target: picture, condition: picture, place: 'line'};
const dataset: Dataset = {
  folder: 'set',
  samples: [
    {...sample, prompt: 'lighthouse', conditionPrompt: 'harbour', objectName: 'teapot'},
    {...sample, prompt: 'Lighthouse', conditionPrompt: 'harbour', objectName: 'teapot'},
  ],
  instructions: new Map([['object', ['isolate', 'isolate']]]),
  problems: [],
};

test('words of prompts, names and instructions are tokens', async t => {
  const folder = join(await tempFolder(t), 'tokenizer');
  const {tokens} = await writeDatasetVocabulary(folder, dataset, {size: 2000});
  const tokenizer = await CLIPTokenizer.load(folder);
  t.is(tokenizer.encode('lighthouse harbour teapot isolate').tokenCount, 4);
  t.true(tokenizer.encode('unknown').tokenCount > 1);
  t.is(tokenizer.eosTokenId, tokens - 1);
  t.deepEqual(await readdir(dirname(folder)), ['tokenizer']);
});

test('a folder that is not empty is left as it is', async t => {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'vocab.json'), '{}');
  await t.throwsAsync(writeDatasetVocabulary(folder, dataset, {size: 2000}), {
    instanceOf: FileError,
    message: /expected an empty folder, or none, but it holds 1 entries/,
  });
  t.deepEqual(await readdir(folder), ['vocab.json']);
});

test('an empty folder is taken', async t => {
  const folder = join(await tempFolder(t), 'tokenizer');
  await mkdir(folder);
  await writeDatasetVocabulary(folder, dataset, {size: 2000});
  t.is((await readdir(folder)).length, 4);
});

test('what fails, or is aborted, leaves nothing behind', async t => {
  const parent = await tempFolder(t);
  const folder = join(parent, 'tokenizer');
  await t.throwsAsync(writeDatasetVocabulary(folder, dataset, {size: 1}), {instanceOf: ArgumentError});
  const signal = AbortSignal.abort(new Error('enough'));
  await t.throwsAsync(writeDatasetVocabulary(folder, dataset, {size: 2000, signal}), {message: 'enough'});
  t.deepEqual(await readdir(parent), []);
});
