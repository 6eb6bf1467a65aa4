import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import {z} from 'zod';
import {FileError} from '../../lib/errors.ts';
import {JsonLines} from '../../lib/files/json-lines.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const format = {
  schema: z.object({id: z.string(), count: z.number().optional()}),
  keyOf: ({id}: {readonly id: string}) => id,
};

test('what was added is there again, with the last line of each key', async t => {
  const path = join(await tempFolder(t), 'log.jsonl');
  const log = await JsonLines.open(path, format);
  await log.add([{id: 'a'}, {id: 'b', count: 1}]);
  await log.add([{id: 'a', count: 2}]);
  const expected = [
    {id: 'a', count: 2},
    {id: 'b', count: 1},
  ];
  t.deepEqual([...log.values()], expected);
  const again = await JsonLines.open(path, format);
  t.deepEqual([...again.values()], expected);
  t.is(again.get('c'), undefined);
  // Opened, the file has lost the lines that count no more.
  t.is(await readFile(path, 'utf8'), '{"id":"a","count":2}\n{"id":"b","count":1}\n');
});

test('a line that was cut off goes, and what is added after it stands on a line of its own', async t => {
  const path = join(await tempFolder(t), 'log.jsonl');
  await writeFile(path, '{"id":"a"}\n{"id":"b","cou');
  const log = await JsonLines.open(path, format);
  t.is(log.get('b'), undefined);
  await log.add([{id: 'c'}]);
  t.is(await readFile(path, 'utf8'), '{"id":"a"}\n{"id":"c"}\n');
});

test('lines that are not kept, or are none, go', async t => {
  const path = join(await tempFolder(t), 'log.jsonl');
  await writeFile(path, '{"id":"a"}\n{"id":"b"}\n{"name":"c"}\nno JSON\n');
  const log = await JsonLines.open(path, {...format, isKept: async ({id}) => id !== 'a'});
  t.deepEqual([...log.values()], [{id: 'b'}]);
});

test('lines are returned and kept with the fields of the schema, in its order', async t => {
  const path = join(await tempFolder(t), 'log.jsonl');
  const log = await JsonLines.open(path, format);
  const given = {extra: true, count: 3, id: 'a'};
  t.deepEqual(Object.entries((await log.add([given]))[0]!), [
    ['id', 'a'],
    ['count', 3],
  ]);
});

test('a file that cannot be read or written is told', async t => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'a.jsonl'));
  await t.throwsAsync(JsonLines.open(join(folder, 'a.jsonl'), format), {
    instanceOf: FileError,
    message: /a\.jsonl: cannot be read/,
  });
  const log = await JsonLines.open(join(folder, 'missing', 'b.jsonl'), format);
  await t.throwsAsync(log.add([{id: 'a'}]), {
    instanceOf: FileError,
    message: /b\.jsonl: cannot be written/,
  });
});
