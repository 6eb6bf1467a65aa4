import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {FileError} from '../../lib/errors.ts';
import {cached} from '../../lib/language/cached.ts';
import type {CompletionRequest} from '../../lib/language/language-model.ts';
import {scriptedModel} from '../_helpers/scripted-model.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const picture = (value: number, width = 2, height = 1) => ({
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(value),
});

test('the same is asked once, also by another process', async t => {
  const folder = join(await tempFolder(t), 'cache');
  const model = scriptedModel('one', 'two');
  const request = {prompt: 'What is this?', images: [picture(1)]};
  t.is(await cached(model, folder).complete(request), 'one');
  t.is(await cached(model, folder).complete({...request, images: [picture(1)]}), 'one');
  t.is(model.requests.length, 1);
});

test('whatever determines the answer makes another question', async t => {
  const folder = await tempFolder(t);
  const answers = Array.from({length: 9}, (_, i) => `${i}`);
  const model = scriptedModel(...answers);
  const request = {prompt: 'What is this?', images: [picture(1)]};
  const others: readonly CompletionRequest[] = [
    request,
    {...request, prompt: 'What is that?'},
    {...request, images: [picture(2)]},
    {...request, images: [picture(1, 1, 2)]},
    {...request, images: [picture(1), picture(1)]},
    {...request, images: []},
    {...request, attempt: 1},
  ];
  for (const [i, other] of others.entries()) t.is(await cached(model, folder).complete(other), `${i}`);
  t.is(await cached({...model, identity: 'another'}, folder).complete(request), '7');
  t.is((await readdir(folder)).length, 8);
});

test('what fails is not kept', async t => {
  const folder = await tempFolder(t);
  const model = cached(scriptedModel(new Error('no'), 'yes'), folder);
  await t.throwsAsync(model.complete({prompt: 'x'}), {message: 'no'});
  t.deepEqual(await readdir(folder), []);
  t.is(await model.complete({prompt: 'x'}), 'yes');
});

test('many may ask the same at the same time: one whole file remains', async t => {
  const folder = await tempFolder(t);
  const model = cached(scriptedModel(...Array.from({length: 20}, (_, i) => 'x'.repeat(i + 1))), folder);
  await Promise.all(Array.from({length: 20}, () => model.complete({prompt: 'x'})));
  const [name, ...more] = await readdir(folder);
  t.deepEqual(more, []);
  t.regex(JSON.parse(await readFile(join(folder, name!), 'utf8')).answer, /^x+$/);
});

test('a damaged file is asked for again, and put right', async t => {
  const folder = await tempFolder(t);
  const model = cached(scriptedModel('one', 'two', 'three'), folder);
  await model.complete({prompt: 'x'});
  const path = join(folder, (await readdir(folder))[0]!);
  for (const [damage, answer] of [
    ['{"prompt": "x", "ans', 'two'],
    ['[]', 'three'],
  ] as const) {
    await writeFile(path, damage);
    t.is(await model.complete({prompt: 'x'}), answer);
    t.is(await model.complete({prompt: 'x'}), answer);
  }
});

test('a folder that is none is an error that names it', async t => {
  const path = join(await tempFolder(t), 'cache');
  await writeFile(path, '');
  await t.throwsAsync(cached(scriptedModel('one'), path).complete({prompt: 'x'}), {
    instanceOf: FileError,
    message: /cache.*expected.*ENOTDIR/,
  });
});

test('a folder in the place of an answer is an error too', async t => {
  const folder = await tempFolder(t);
  const model = cached(scriptedModel('one'), folder);
  await model.complete({prompt: 'x'});
  const other = join(await tempFolder(t), 'cache');
  await mkdir(join(other, (await readdir(folder))[0]!), {recursive: true});
  await t.throwsAsync(cached(scriptedModel('one'), other).complete({prompt: 'x'}), {instanceOf: FileError});
});
