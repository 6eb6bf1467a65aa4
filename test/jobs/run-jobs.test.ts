import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test from 'ava';
import sharp from 'sharp';
import {ArgumentError, DeviceError, FileError} from '../../lib/errors.ts';
import {isDone} from '../../lib/jobs/job-log.ts';
import type {JobsProgress} from '../../lib/jobs/job-run.ts';
import type {Job} from '../../lib/jobs/read-jobs.ts';
import {runJobs} from '../../lib/jobs/run-jobs.ts';
import {folderContents} from '../_helpers/folder-contents.ts';
import {paintJob as job, Painter} from '../_helpers/painter.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const jobs = ['a', 'b', 'c', 'd', 'e'].map((id, seed) => job(id, {prompt: `of ${id}`, seed}));

test('pictures and their lines are written; a second run makes none', async t => {
  const folder = join(await tempFolder(t), 'new', 'out');
  const painter = new Painter();
  const counts: JobsProgress[] = [];
  const options = {folder, batchSize: 2, onProgress: (count: JobsProgress) => counts.push(count)};
  const lines = await runJobs(painter, [...jobs, job('wide', {prompt: 'w', seed: 7, width: 16})], options);
  t.deepEqual(
    lines.map(({id}) => id),
    ['a', 'b', 'c', 'd', 'e', 'wide'],
  );
  const last = lines.at(-1)!;
  t.true(isDone(last) && last.file === 'wide.png' && last.width === 16 && last.seed === 7);
  t.deepEqual([...(await sharp(join(folder, 'd.png')).raw().toBuffer())].slice(0, 3), [3, 3, 3]);
  const {xmp} = await sharp(join(folder, 'd.png')).metadata();
  t.regex(xmp!.toString().replaceAll('&#34;', '"'), /\{"prompt":"of d","seed":3,"id":"d"\}/);
  t.deepEqual(counts.at(-1), {done: 6, failed: 0, total: 6});

  const before = await folderContents(folder);
  const again = new Painter();
  t.deepEqual(await runJobs(again, jobs, {folder, batchSize: 2}), lines.slice(0, 5));
  t.deepEqual(again.prompts, []);
  t.deepEqual(await folderContents(folder), before);
});

test('a job that fails is recorded, the others are done, and it is tried again', async t => {
  const folder = await tempFolder(t);
  const wrong: Job = {id: 'wrong', given: {}, options: new ArgumentError('jobs:3: no job.')};
  const all = [...jobs, job('x', {prompt: 'broken', seed: 1}), wrong];
  const lines = await runJobs(new Painter(), all, {folder, batchSize: 4});
  t.is(lines.filter(isDone).length, 5);
  const errors = lines.flatMap(line => (isDone(line) ? [] : [line.error]));
  t.deepEqual(errors, [
    {code: 'file-invalid', message: 'broken: no picture.'},
    {code: 'invalid-argument', message: 'jobs:3: no job.'},
  ]);
  const again = new Painter();
  let asked: readonly string[] = [];
  again.onGenerate = prompts => {
    asked = prompts;
  };
  await runJobs(again, all, {folder, batchSize: 4});
  t.deepEqual(asked, ['broken']);
});

test('what is missing, or was made of another line or by another model, is made again', async t => {
  const folder = await tempFolder(t);
  const options = {folder, batchSize: 2, origin: 'one model'};
  await runJobs(new Painter(), jobs, options);
  await rm(join(folder, 'b.png'));
  const painter = new Painter();
  const changed = job('c', {prompt: 'other', seed: 2});
  await runJobs(painter, jobs.with(2, changed), options);
  t.deepEqual(painter.prompts, ['of b', 'other']);
  await runJobs(painter, jobs, {...options, origin: 'another'});
  t.is(painter.prompts.length, 2 + 5);
});

test('what a process that was ended left behind is gone on from', async t => {
  const [broken, whole] = [await tempFolder(t), await tempFolder(t)];
  await runJobs(new Painter(), jobs, {folder: whole, batchSize: 2});
  await runJobs(new Painter(), jobs.slice(0, 3), {folder: broken, batchSize: 2});
  const log = join(broken, 'results.jsonl');
  await writeFile(log, (await readFile(log, 'utf8')).slice(0, -20));
  await runJobs(new Painter(), jobs, {folder: broken, batchSize: 2});
  for (const {id} of jobs) {
    t.deepEqual(await readFile(join(broken, `${id}.png`)), await readFile(join(whole, `${id}.png`)));
  }
});

test('a signal ends the run; what is done stays', async t => {
  const folder = await tempFolder(t);
  const painter = new Painter();
  const controller = new AbortController();
  const reason = new Error('enough');
  painter.onGenerate = prompts => {
    if (prompts.includes('of d')) controller.abort(reason);
  };
  await t.throwsAsync(runJobs(painter, jobs, {folder, batchSize: 1, signal: controller.signal}), {
    is: reason,
  });
  t.deepEqual(painter.prompts, ['of a', 'of b', 'of c']);
  t.deepEqual((await readdir(folder)).sort(), ['a.png', 'b.png', 'c.png', 'results.jsonl']);
});

test('what is the fault of no job ends the run', async t => {
  const folder = await tempFolder(t);
  const lost = [...jobs, job('x', {prompt: 'lost', seed: 1})];
  await t.throwsAsync(runJobs(new Painter(), lost, {folder, batchSize: 2}), {instanceOf: DeviceError});
  const occupied = await tempFolder(t);
  await mkdir(join(occupied, 'b.png'));
  await t.throwsAsync(runJobs(new Painter(), jobs, {folder: occupied, batchSize: 2}), {
    instanceOf: FileError,
    message: /b\.png/,
  });
});
