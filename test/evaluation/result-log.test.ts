import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FileError} from '../../lib/errors.ts';
import type {PictureRecord} from '../../lib/evaluation/picture-record.ts';
import {picturePath, ResultLog} from '../../lib/evaluation/result-log.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

function record(id: string): PictureRecord {
  const about = {adapter: 'joint', task: 'style', sample: 0, prompt: 'x', instruction: 'y', seed: 3};
  return {id, settings: 'abc', ...about, scores: {clipI: 0.5}};
}

/** A folder with lines, and pictures for them. */
async function folderWith(t: ExecutionContext, text: string, ids: readonly string[]): Promise<string> {
  const folder = await tempFolder(t);
  await writeFile(join(folder, 'results.jsonl'), text);
  for (const id of ids) {
    await mkdir(dirname(picturePath(folder, id)), {recursive: true});
    await writeFile(picturePath(folder, id), '');
  }
  return folder;
}

test('what was added is there again', async t => {
  const folder = await folderWith(t, '', ['a', 'b']);
  const log = await ResultLog.open(folder);
  await log.add([record('a'), record('b')]);
  t.deepEqual(log.get('b'), record('b'));
  const again = await ResultLog.open(folder);
  t.deepEqual([again.get('a'), again.get('c')], [record('a'), undefined]);
});

test('a line that was cut off goes, and what is added after it stands on a line of its own', async t => {
  const [whole, cut] = [record('a'), record('b')].map(one => JSON.stringify(one));
  const folder = await folderWith(t, `${whole}\n${cut!.slice(0, 30)}`, ['a', 'b', 'c']);
  const log = await ResultLog.open(folder);
  t.is(log.get('b'), undefined);
  await log.add([record('c')]);
  const again = await ResultLog.open(folder);
  t.deepEqual([again.get('a'), again.get('c')], [record('a'), record('c')]);
});

test('a line without its picture does not count', async t => {
  const lines = ['a', 'b'].map(id => `${JSON.stringify(record(id))}\n`).join('');
  const folder = await folderWith(t, lines, ['b']);
  const log = await ResultLog.open(folder);
  t.deepEqual([log.get('a'), log.get('b')], [undefined, record('b')]);
  t.is((await readFile(join(folder, 'results.jsonl'), 'utf8')).split('\n').length, 2);
});

test('a file that cannot be read is told', async t => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'results.jsonl'));
  await t.throwsAsync(ResultLog.open(folder), {instanceOf: FileError, message: /results\.jsonl/});
});
