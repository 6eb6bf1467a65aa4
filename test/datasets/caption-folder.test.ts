import {readdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import test, {type ExecutionContext} from 'ava';
import {captionFolder} from '../../lib/datasets/caption-folder.ts';
import {ArgumentError, FileError, LanguageModelError, UnusableAnswerError} from '../../lib/errors.ts';
import {writeImage} from '../../lib/images/write-image.ts';
import type {LanguageModel} from '../../lib/language/language-model.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

/** A folder with pictures whose grey says which they are. */
async function pictureFolder(t: ExecutionContext, names: readonly string[]): Promise<string> {
  const folder = await tempFolder(t);
  for (const [i, name] of names.entries())
    await writeImage(join(folder, name), {width: 4, height: 4, data: new Uint8Array(48).fill(i * 10)});
  return folder;
}

/** Answers for the picture with this number. */
function modelBy(answer: (index: number) => string | Error): LanguageModel & {readonly asked: number[]} {
  const asked: number[] = [];
  return {
    identity: 'by picture',
    asked,
    async complete({images}) {
      const index = Math.round(images![0]!.data[0]! / 10);
      asked.push(index);
      await sleep(2);
      const result = answer(index);
      if (result instanceof Error) throw result;
      return result;
    },
  };
}

const gone = new LanguageModelError('gone');

test('captions lie beside the pictures; those that exist stay', async t => {
  const folder = await pictureFolder(t, ['a.png', 'b.jpg', 'c.PNG', 'd.webp']);
  await writeFile(join(folder, 'b.txt'), 'mine');
  await writeFile(join(folder, 'notes.md'), '');
  const model = modelBy(index => `Picture ${index}.`);
  const progress: string[] = [];
  const onProgress = ({done, count}: {done: number; count: number}) => progress.push(`${done}/${count}`);
  const result = await captionFolder(model, folder, {onProgress});
  t.deepEqual(result, {captioned: 3, kept: 1, problems: []});
  t.deepEqual(progress, ['1/3', '2/3', '3/3']);
  const texts = ['a', 'b', 'c', 'd'].map(key => readFile(join(folder, `${key}.txt`), 'utf8'));
  t.deepEqual(await Promise.all(texts), ['Picture 0.\n', 'mine', 'Picture 2.\n', 'Picture 3.\n']);

  t.deepEqual(await captionFolder(model, folder), {captioned: 0, kept: 4, problems: []});
  t.is(model.asked.length, 3);
});

test('pictures that fail are reported and left out, and asked for again the next time', async t => {
  const folder = await pictureFolder(t, ['0.png', '1.png', '2.png', '3.png']);
  await writeFile(join(folder, '3.png'), 'no picture');
  const errors = [undefined, new UnusableAnswerError('refused'), gone];
  const {captioned, problems} = await captionFolder(
    modelBy(index => errors[index] ?? 'Fine.'),
    folder,
  );
  t.is(captioned, 1);
  const reasons = new Map(problems.map(({place, reason}) => [place, reason]));
  t.is(reasons.get(join(folder, '1.png')), 'refused');
  t.is(reasons.get(join(folder, '2.png')), 'gone');
  t.regex(reasons.get(join(folder, '3.png'))!, /expected a whole picture/);
  t.deepEqual(
    (await readdir(folder)).filter(name => name.endsWith('.txt')),
    ['0.txt'],
  );

  t.like(
    await captionFolder(
      modelBy(() => 'Fine.'),
      folder,
    ),
    {captioned: 2, kept: 1},
  );
});

test('a server that is gone ends it, one that comes back does not', async t => {
  const names = Array.from({length: 12}, (_, i) => `${String.fromCharCode(97 + i)}.png`);
  const folder = await pictureFolder(t, names);
  const ending = modelBy(index => (index === 0 ? 'Fine.' : gone));
  t.is(await t.throwsAsync(captionFolder(ending, folder, {concurrency: 1})), gone);
  t.deepEqual(ending.asked, [0, 1, 2, 3, 4, 5]);
  t.deepEqual(
    (await readdir(folder)).filter(name => name.endsWith('.txt')),
    ['a.txt'],
  );

  const returning = modelBy(index => (index % 4 === 0 ? 'Fine.' : gone));
  t.like(await captionFolder(returning, folder, {concurrency: 1}), {captioned: 2, kept: 1});
});

test('aborted, it begins no other picture, and what is written is whole', async t => {
  const folder = await pictureFolder(t, ['a.png', 'b.png', 'c.png', 'd.png']);
  const controller = new AbortController();
  const reason = new Error('enough');
  const model = modelBy(index => {
    if (index === 1) controller.abort(reason);
    return 'Fine.';
  });
  const run = captionFolder(model, folder, {concurrency: 1, signal: controller.signal});
  t.is(await t.throwsAsync(run), reason);
  t.deepEqual(model.asked, [0, 1]);
  t.deepEqual(
    (await readdir(folder)).filter(name => !name.endsWith('.png')),
    ['a.txt', 'b.txt'],
  );
});

test('of pictures that would share a caption, the first is captioned', async t => {
  const folder = await pictureFolder(t, ['a.jpg', 'a.png']);
  const model = modelBy(index => `Picture ${index}.`);
  t.like(await captionFolder(model, folder), {captioned: 1});
  t.is(await readFile(join(folder, 'a.txt'), 'utf8'), 'Picture 0.\n');
});

test('a folder without pictures, or none, and a wrong concurrency are errors', async t => {
  const folder = await tempFolder(t);
  const model = modelBy(() => 'Fine.');
  await t.throwsAsync(captionFolder(model, folder), {instanceOf: FileError, message: /expected pictures/});
  await t.throwsAsync(captionFolder(model, join(folder, 'no')), {instanceOf: FileError, message: /ENOENT/});
  await t.throwsAsync(captionFolder(model, folder, {concurrency: 0}), {instanceOf: ArgumentError});
});
