import {once} from 'node:events';
import {readFile, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import type {ExecutionContext} from 'ava';
import test from 'ava';
import {Queue} from 'bullmq';
import {Redis} from 'ioredis';
import sharp from 'sharp';
import {ArgumentError, DeviceError, FileError, QueueError} from '../../../lib/errors.ts';
import {isDone} from '../../../lib/jobs/job-log.ts';
import type {Job} from '../../../lib/jobs/read-jobs.ts';
import {baseOptions} from '../../../lib/jobs/redis/queue-job.ts';
import {queueNameOf} from '../../../lib/jobs/redis/queue-models.ts';
import {type RunWorkerOptions, runWorker} from '../../../lib/jobs/redis/run-worker.ts';
import {type SendJobsOptions, sendJobs} from '../../../lib/jobs/redis/send-jobs.ts';
import {runJobs} from '../../../lib/jobs/run-jobs.ts';
import {folderContents} from '../../_helpers/folder-contents.ts';
import {paintJob as job, Painter} from '../../_helpers/painter.ts';
import {freePort, redisTest, startRedis} from '../../_helpers/redis-server.ts';
import {runScript} from '../../_helpers/run-script.ts';
import {tempFolder} from '../../_helpers/temp-folder.ts';
import {until} from '../../_helpers/until.ts';

const jobs = ['a', 'b', 'c', 'd', 'e'].map((id, seed) => job(id, {prompt: `of ${id}`, seed}));

/** The queue of workers without an origin. */
async function withQueue<T>(url: string, use: (queue: Queue) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  const queue = new Queue(queueNameOf(undefined), baseOptions(redis));
  try {
    return await use(queue);
  } finally {
    await queue.close();
    redis.disconnect();
  }
}

interface House {
  readonly url: string;
  readonly output: string;
  readonly record: string;
  /** Starts a worker, which ends with the test. */
  readonly work: (painter: Painter, options?: Partial<RunWorkerOptions>) => {end: () => Promise<void>};
  readonly send: (jobs: readonly Job[], options?: Partial<SendJobsOptions>) => ReturnType<typeof sendJobs>;
  /** Waits until so many jobs without an origin wait. */
  readonly queued: (count: number) => Promise<void>;
}

async function openHouse(t: ExecutionContext): Promise<House> {
  const {url} = await startRedis(t);
  const [output, record] = [await tempFolder(t), await tempFolder(t)];
  const ends: (() => Promise<void>)[] = [];
  // Before the servers go.
  t.teardown(() => Promise.all(ends.map(end => end())));
  return {
    url,
    output,
    record,
    work: (painter, options) => {
      const controller = new AbortController();
      const {signal} = controller;
      const running = runWorker(painter, {queue: url, output, batchSize: 2, signal, ...options});
      const end = () => {
        controller.abort();
        return running;
      };
      ends.push(end);
      return {end};
    },
    queued: count => until(() => withQueue(url, async queue => (await queue.count()) === count)),
    send: (jobs, options) => sendJobs(jobs, {queue: url, folder: record, ...options}),
  };
}

redisTest('what workers make and record is what a run on one machine does', async t => {
  const {work, send, output, record} = await openHouse(t);
  const whole = await tempFolder(t);
  const wrong: Job = {id: 'wrong', given: {}, options: new ArgumentError('jobs:3: no job.')};
  const all = [...jobs, job('x', {prompt: 'broken', seed: 1}), wrong];
  const lines = await runJobs(new Painter(), all, {folder: whole, batchSize: 2, origin: {model: 'm'}});
  const [first, second] = [new Painter(), new Painter()];
  work(first, {origin: {model: 'm'}});
  work(second, {origin: {model: 'm'}});
  t.deepEqual(await send(all), lines);
  t.deepEqual(
    {...(await folderContents(output)), ...(await folderContents(record))},
    // The order of lines is that in which jobs were finished.
    {...(await folderContents(whole)), 'results.jsonl': (await folderContents(record))['results.jsonl']!},
  );
  t.is(first.prompts.length + second.prompts.length, jobs.length);
  t.deepEqual(await send(all.slice(0, 5)), lines.slice(0, 5));
  t.is(first.prompts.length + second.prompts.length, jobs.length);
});

redisTest('like jobs share batches, with the bytes of their pictures', async t => {
  const {work, send, record, queued} = await openHouse(t);
  const picture = join(record, 'picture.png');
  await sharp({create: {width: 2, height: 2, channels: 3, background: 'red'}}).toFile(picture);
  const bytes = await readFile(picture);
  const raw = {width: 1, height: 1, channels: 1 as const, data: Uint8Array.of(7)};
  const painter = new Painter();
  const seen: unknown[] = [];
  const negatives: unknown[] = [];
  painter.onGenerate = (_, {controlImage, ipAdapterImage, unconditionalImage}) => {
    seen.push(controlImage, ...[ipAdapterImage].flat());
    negatives.push(unconditionalImage);
  };
  const mixed = Array.from({length: 8}, (_, i) => {
    const own =
      i % 2 === 0
        ? {width: 16, controlImage: picture, ipAdapterImage: raw, unconditionalImage: picture}
        : {width: 8, unconditionalImage: 'noise' as const};
    const options = {prompt: `${i}`, seed: i, ...own};
    return {id: `${i}`, given: {}, options};
  });
  const sent = send(mixed, {origin: undefined});
  await queued(mixed.length);
  work(painter, {batchSize: 4});
  await sent;
  t.deepEqual(painter.batches, [4, 4]);
  const [control, ...adapted] = seen.filter(one => one !== undefined) as Uint8Array[];
  t.deepEqual(Buffer.from(control!), bytes);
  t.deepEqual(
    new Set(negatives.map(image => (image === 'noise' ? image : bytes.equals(image as Buffer)))),
    new Set(['noise', true]),
  );
  const pixels = await Promise.all(adapted.map(one => sharp(one).raw().toBuffer()));
  t.deepEqual(
    pixels.map(([value]) => value),
    [7, 7, 7, 7],
  );
});

redisTest('jobs of higher priority go first', async t => {
  const {work, send, queued} = await openHouse(t);
  const painter = new Painter();
  const sent = send(
    [0, -1, 5, 0].map((priority, i) => ({...job(`${i}`, {prompt: `${i}`, seed: 0}), priority})),
    {origin: undefined},
  );
  await queued(4);
  work(painter, {batchSize: 1});
  await sent;
  t.deepEqual(painter.prompts, ['2', '0', '3', '1']);
});

redisTest('a failure that is no fault of the job is tried again, others are not', async t => {
  const {work, send} = await openHouse(t);
  const painter = new Painter();
  const tried: string[] = [];
  const warnings: string[] = [];
  painter.onGenerate = ([prompt]) => {
    tried.push(prompt!);
    if (prompt === 'shaky' && tried.filter(one => one === 'shaky').length === 1)
      throw new DeviceError('busy: no device.');
  };
  work(painter, {batchSize: 1, onWarning: text => warnings.push(text)});
  const lines = await send([job('s', {prompt: 'shaky', seed: 1}), job('b', {prompt: 'broken', seed: 2})]);
  t.true(isDone(lines[0]!));
  t.like(lines[1], {error: {code: 'file-invalid', message: 'broken: no picture.'}});
  t.deepEqual(tried.toSorted(), ['broken', 'shaky', 'shaky']);
  t.deepEqual(warnings, ["job 's': try 1 of 5 failed: busy: no device."]);
});

redisTest('a worker that fails again and again ends, and its jobs wait for another', async t => {
  const {send, url, output, work} = await openHouse(t);
  const painter = new Painter();
  painter.onGenerate = () => {
    throw new DeviceError('lost: no device.');
  };
  const sent = send(Array.from({length: 8}, (_, i) => job(`${i}`, {prompt: 'p', seed: i})));
  await t.throwsAsync(runWorker(painter, {queue: url, output, batchSize: 4}), {instanceOf: DeviceError});
  work(new Painter());
  t.true((await sent).every(isDone));
});

redisTest('a picture that is stored whole is not made again, another or a part of one is', async t => {
  const {work, send, output, record} = await openHouse(t);
  const painter = new Painter();
  work(painter);
  const lines = await send(jobs);
  await rm(join(record, 'results.jsonl'));
  const b = await readFile(join(output, 'b.png'));
  await writeFile(join(output, 'b.png'), b.subarray(0, -20));
  await rm(join(output, 'c.png'));
  painter.prompts.length = 0;
  const changed = jobs.with(3, job('d', {prompt: 'changed', seed: 9}));
  const again = await send(changed);
  t.deepEqual(painter.prompts.toSorted(), ['changed', 'of b', 'of c']);
  t.deepEqual(await readFile(join(output, 'b.png')), b);
  t.deepEqual(again.toSpliced(3, 1), lines.toSpliced(3, 1));
});

redisTest('a sender that ended is gone on from: nothing is done twice', async t => {
  const {work, send} = await openHouse(t);
  const controller = new AbortController();
  const reason = new Error('enough');
  const painter = new Painter();
  painter.onGenerate = prompts => {
    if (prompts.includes('of c')) controller.abort(reason);
  };
  const worker = work(painter, {batchSize: 1});
  await t.throwsAsync(send(jobs, {signal: controller.signal}), {is: reason});
  await until(() => painter.prompts.length === jobs.length);
  const lines = await send(jobs);
  t.true(lines.every(isDone));
  t.is(painter.prompts.length, jobs.length);
  await worker.end();
});

redisTest('a job that is sent anew in another version replaces the one that waits', async t => {
  const {work, send, queued, url} = await openHouse(t);
  const controller = new AbortController();
  const early = send(jobs, {origin: undefined, signal: controller.signal});
  await queued(jobs.length);
  controller.abort(new Error('enough'));
  await t.throwsAsync(early, {message: 'enough'});
  const painter = new Painter();
  const late = send([job('a', {prompt: 'new', seed: 1})], {origin: undefined});
  await until(() =>
    withQueue(url, async queue => (await queue.getJob('job-a'))?.data.given.prompt === 'new'),
  );
  work(painter);
  t.true(isDone((await late)[0]!));
  await until(() => painter.prompts.length === jobs.length);
  t.deepEqual(painter.prompts.toSorted(), ['new', 'of b', 'of c', 'of d', 'of e']);
});

redisTest('a worker that is told to end gives its jobs back at once', async t => {
  const {work, send} = await openHouse(t);
  const [held, painter] = [new Painter(), new Painter()];
  let begun = false;
  held.onGenerate = (_, {signal}) => {
    begun = true;
    return once(signal!, 'abort').then(() => undefined);
  };
  const worker = work(held);
  const sent = send(jobs);
  await until(() => begun);
  const begin = performance.now();
  await worker.end();
  t.true(performance.now() - begin < 4000);
  work(painter);
  t.true((await sent).every(isDone));
  t.deepEqual(held.prompts, []);
});

redisTest('workers take only jobs for their models, and of several the sender must name one', async t => {
  const {work, send, output} = await openHouse(t);
  const [one, other] = [new Painter(), new Painter()];
  work(one, {origin: 'one'});
  work(other, {origin: 'other', output: join(output, 'other')});
  await until(async () => {
    const error = await send(jobs.slice(0, 1)).catch((error: unknown) => error);
    return error instanceof ArgumentError;
  });
  for (const {prompts} of [one, other]) prompts.length = 0;
  await send(jobs.slice(1), {origin: 'other'});
  t.deepEqual(one.prompts, []);
  t.is(other.prompts.length, 4);
});

redisTest('pictures that cannot be read, and options that cannot be sent, fail their jobs', async t => {
  const {work, send} = await openHouse(t);
  work(new Painter());
  const lines = await send([
    {id: 'm', given: {}, options: {prompt: 'p', ipAdapterImage: 'nowhere.png'}},
    {id: 'f', given: {}, options: {prompt: 'p', ipAdapterScale: () => 1}},
    {id: 'l', given: {}, options: {prompt: 'p', image: {latents: new Float32Array(1)}}},
  ]);
  const errors = lines.map(line => (isDone(line) ? '' : line.error.message));
  t.regex(errors[0]!, /ipAdapterImage 'nowhere\.png': .*ENOENT/);
  t.regex(errors[1]!, /job 'f': .*ipAdapterScale/);
  t.regex(errors[2]!, /^image: expected a path/);
});

redisTest('what is lost of Redis is sent again', async t => {
  const {send, work, url, queued} = await openHouse(t);
  const sent = send(jobs, {origin: undefined});
  await queued(jobs.length);
  await withQueue(url, queue => queue.obliterate());
  work(new Painter());
  t.true((await sent).every(isDone));
});

test('without Redis there is an error, and soon', async t => {
  const folder = await tempFolder(t);
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  t.teardown(() => silent.close());
  const ports = [await freePort(), (silent.address() as {port: number}).port];
  for (const port of ports) {
    const queue = `redis://user:secret@127.0.0.1:${port}`;
    const begin = performance.now();
    const error = await t.throwsAsync(sendJobs(jobs, {queue, folder}), {instanceOf: QueueError});
    t.regex(error.message, /^queue redis:\/\/127\.0\.0\.1:\d+.*Is it started/);
    await t.throwsAsync(runWorker(new Painter(), {queue, output: folder, batchSize: 1}), {
      instanceOf: QueueError,
    });
    t.true(performance.now() - begin < 15_000);
  }
  await t.throwsAsync(sendJobs(jobs, {queue: 'http://127.0.0.1', folder}), {instanceOf: ArgumentError});
});

test('a folder that cannot be made is told before all else', async t => {
  const file = join(await tempFolder(t), 'file');
  await writeFile(file, '');
  const queue = 'redis://127.0.0.1:1';
  await t.throwsAsync(runWorker(new Painter(), {queue, output: join(file, 'below'), batchSize: 1}), {
    instanceOf: FileError,
  });
  await t.throwsAsync(sendJobs(jobs, {queue, folder: join(file, 'below')}), {instanceOf: FileError});
});

/** Runs a program of its own. @returns for how many milliseconds it lived when all was done */
async function lifeAfterEnd(t: ExecutionContext, url: string, body: string): Promise<number> {
  const {code, stdout, stderr} = await runScript(`
    import {Painter, paintJob} from '#root/test/_helpers/painter.ts';
    import {runWorker} from '#root/lib/jobs/redis/run-worker.ts';
    import {sendJobs} from '#root/lib/jobs/redis/send-jobs.ts';
    const queue = '${url}', folder = '${await tempFolder(t)}';
    ${body}
    process.stdout.write(String(Date.now()));`);
  const life = Date.now() - Number(stdout);
  t.is(code, 0, stderr);
  return life;
}

redisTest('a process whose worker and sender are finished ends by itself', async t => {
  const {url} = await startRedis(t);
  const life = await lifeAfterEnd(
    t,
    url,
    `const controller = new AbortController();
    const working = runWorker(new Painter(), {queue, output: folder, batchSize: 2, signal: controller.signal});
    await sendJobs([paintJob('a', {prompt: 'a', seed: 1})], {queue, folder});
    controller.abort();
    await working;`,
  );
  t.true(life < 2000, `${life}`);
});

redisTest('when Redis is gone, workers and senders end with an error, and their process does', async t => {
  const {url, process: server} = await startRedis(t);
  const life = await lifeAfterEnd(
    t,
    url,
    `const working = runWorker(new Painter(), {queue, output: folder, batchSize: 2});
    const sending = sendJobs([paintJob('a', {prompt: 'a', seed: 1})], {queue, folder, origin: 'other'});
    setTimeout(() => process.kill(${server.pid}, 'SIGKILL'), 1000);
    const results = await Promise.allSettled([working, sending]);
    if (results.some(({reason}) => reason?.code !== 'queue')) throw new Error(JSON.stringify(results));`,
  );
  t.true(life < 2000, `${life}`);
});
