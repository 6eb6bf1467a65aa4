import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import type {PictureRecord} from '../../lib/evaluation/picture-record.ts';
import {openResultLog, picturePath} from '../../lib/evaluation/result-log.ts';
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

test('a line without its picture does not count', async t => {
  const lines = ['a', 'b'].map(id => `${JSON.stringify(record(id))}\n`).join('');
  const folder = await folderWith(t, lines, ['b']);
  const log = await openResultLog(folder);
  t.deepEqual([log.get('a'), log.get('b')], [undefined, record('b')]);
  t.is((await readFile(join(folder, 'results.jsonl'), 'utf8')).split('\n').length, 2);
});
