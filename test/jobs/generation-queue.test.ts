import {setTimeout as sleep} from 'node:timers/promises';
import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError, DeviceError, DisposedError, FileError, QueueFullError} from '../../lib/errors.ts';
import {GenerationQueue, type Generator, type JobEvent} from '../../lib/jobs/generation-queue.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';

/** Makes latents that say of which prompt and seed they are; a prompt may name an error. */
class ScriptedGenerator implements Generator {
  readonly batches: string[][] = [];
  running = 0;
  mostRunning = 0;

  async generate(options: GenerateOptions) {
    const prompts = [options.prompt].flat() as string[];
    const seeds = [options.seed!].flat() as number[];
    this.batches.push(prompts);
    this.mostRunning = Math.max(this.mostRunning, ++this.running);
    try {
      for (let step = 0; step < 2; step++) {
        await sleep(1);
        options.signal?.throwIfAborted();
        const predOriginalSample = () => ({
          shape: [prompts.length, 1],
          data: Float32Array.from(prompts, prompt => prompt.length),
        });
        options.onProgress?.({type: 'step', step, totalSteps: 2, timestep: 1, predOriginalSample});
      }
      if (prompts.includes('broken')) throw new FileError('broken: no picture.');
      if (prompts.includes('lost')) throw new DeviceError('lost: no device.');
      options.onProgress?.({type: 'decode', image: 0, totalImages: prompts.length});
      await sleep(1);
      const images = prompts.map((prompt, i) => ({
        latents: {shape: [1], data: Float32Array.of(prompt.length)},
        seed: seeds[i]!,
      }));
      return {images, timings: {encodeSeconds: 0, denoiseSeconds: 0, decodeSeconds: 0, totalSeconds: 0}};
    } finally {
      this.running--;
    }
  }
}

test('jobs that are submitted together share batches with those like them', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 2});
  const jobs = [
    {prompt: 'a'},
    {prompt: 'b', width: 64},
    {prompt: 'c', negativePrompt: 'd'},
    {prompt: 'e', seed: 3},
    {prompt: 'f', width: 64},
  ];
  const images = await Promise.all(jobs.map(job => queue.submit(job)));
  t.deepEqual(generator.batches, [['a', 'c'], ['b', 'f'], ['e']]);
  t.is(images[3]!.seed, 3);
  t.true(Number.isSafeInteger(images[0]!.seed));
});

test('the next batch begins while the last is decoded, and not before', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 1});
  let denoising = 0;
  const count = ({type}: JobEvent) => {
    if (type === 'start') denoising++;
  };
  await Promise.all(Array.from({length: 4}, (_, i) => queue.submit({prompt: `${i}`}, {onProgress: count})));
  t.is(denoising, 4);
  t.is(generator.mostRunning, 2);
});

test('of a step each job is shown what is its own', async t => {
  const queue = new GenerationQueue(new ScriptedGenerator(), {batchSize: 2});
  const shown = ['a', 'bb'].map(async prompt => {
    const seen: unknown[] = [];
    const onProgress = (event: JobEvent) => {
      if (event.type === 'step') seen.push(event.predOriginalSample());
    };
    await queue.submit({prompt}, {onProgress});
    return seen;
  });
  t.deepEqual(
    await Promise.all(shown),
    [1, 2].map(length => Array.from({length: 2}, () => ({shape: [1, 1], data: Float32Array.of(length)}))),
  );
});

test('a job waits for others like it for as long as it may', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 3, maxDelay: 1000});
  const begin = performance.now();
  const first = queue.submit({prompt: 'a'});
  await sleep(10);
  t.deepEqual(generator.batches, []);
  await Promise.all([first, queue.submit({prompt: 'b'})]);
  t.deepEqual(generator.batches, [['a', 'b']]);
  t.true(performance.now() - begin >= 1000);
});

test('a full batch waits for nothing', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 2, maxDelay: 1e6});
  await Promise.all([queue.submit({prompt: 'a'}), queue.submit({prompt: 'b'})]);
  t.deepEqual(generator.batches, [['a', 'b']]);
});

test('higher priority goes first, whatever its kind', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 1});
  const submit = (prompt: string, priority: number, width: number) =>
    queue.submit({prompt, width}, {priority});
  await Promise.all([submit('a', 0, 64), submit('b', 1, 64), submit('c', 2, 128), submit('d', 1, 64)]);
  t.deepEqual(generator.batches.flat(), ['c', 'b', 'd', 'a']);
});

test('a job that fails takes no other with it', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 4});
  const prompts = ['a', 'b', 'broken', 'c', 'd'];
  const results = await Promise.allSettled(prompts.map(prompt => queue.submit({prompt})));
  t.deepEqual(
    results.map(({status}) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  t.true((results[2] as PromiseRejectedResult).reason instanceof FileError);
});

test('what is the fault of no job fails all of its batch at once', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 2});
  const results = await Promise.allSettled(['a', 'lost', 'b'].map(prompt => queue.submit({prompt})));
  t.deepEqual(generator.batches, [['a', 'lost'], ['b']]);
  t.deepEqual(
    results.map(({status}) => status),
    ['rejected', 'rejected', 'fulfilled'],
  );
});

test('a job may be taken back while it waits and while it is made', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 2});
  const reason = new Error('enough');
  const [waiting, made] = [new AbortController(), new AbortController()];
  const results = Promise.allSettled([
    queue.submit({prompt: 'a'}, {signal: made.signal, onProgress: () => made.abort(reason)}),
    queue.submit({prompt: 'b'}),
    queue.submit({prompt: 'c'}, {signal: waiting.signal}),
  ]);
  t.is(queue.waiting, 3);
  waiting.abort(reason);
  t.is(queue.waiting, 2);
  const [a, b, c] = await results;
  t.deepEqual(
    [a, c],
    [
      {status: 'rejected', reason},
      {status: 'rejected', reason},
    ],
  );
  t.is(b!.status, 'fulfilled');
  t.deepEqual(generator.batches, [['a', 'b']]);
});

test('a batch ends when all of its jobs were taken back', async t => {
  const generator = new ScriptedGenerator();
  const queue = new GenerationQueue(generator, {batchSize: 2});
  const controller = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({type}: JobEvent) => {
    if (type === 'start') controller.abort(reason);
  };
  const {signal} = controller;
  const jobs = ['a', 'b'].map(prompt => queue.submit({prompt}, {signal, onProgress}));
  for (const job of jobs) await t.throwsAsync(job, {is: reason});
  await queue.close();
  t.is(generator.running, 0);
});

test('a listener that throws fails its own job', async t => {
  const queue = new GenerationQueue(new ScriptedGenerator(), {batchSize: 2});
  const error = new Error('of the listener');
  const onProgress = () => {
    throw error;
  };
  const [a, b] = await Promise.allSettled([
    queue.submit({prompt: 'a'}, {onProgress}),
    queue.submit({prompt: 'b'}),
  ]);
  t.deepEqual([a.status === 'rejected' && a.reason, b.status], [error, 'fulfilled']);
});

test('more jobs than may wait are refused; a closed queue refuses all, and finishes what it has', async t => {
  const queue = new GenerationQueue(new ScriptedGenerator(), {batchSize: 2, maxWaiting: 2, maxDelay: 1e6});
  const first = queue.submit({prompt: 'a'});
  const second = queue.submit({prompt: 'b', width: 64});
  await t.throwsAsync(queue.submit({prompt: 'c'}), {instanceOf: QueueFullError});
  const closed = queue.close();
  await t.throwsAsync(queue.submit({prompt: 'd'}), {instanceOf: DisposedError});
  await closed;
  t.is(queue.waiting, 0);
  await t.notThrowsAsync(Promise.all([first, second]));
});

test('settings that no queue can have are refused', t => {
  const generator = new ScriptedGenerator();
  for (const options of [{batchSize: 0}, {batchSize: 1, maxDelay: -1}, {batchSize: 1, maxWaiting: 0}]) {
    t.throws(() => new GenerationQueue(generator, options), {instanceOf: ArgumentError});
  }
});

const job = fc.record({
  prompt: fc.constantFrom('a', 'bb', 'ccc', 'broken'),
  width: fc.constantFrom(64, 128),
  seed: fc.nat(1000),
  priority: fc.nat(2),
});

testProp(
  'each job gets its own picture or its own error, in batches of like jobs that are not too large',
  [fc.array(job, {maxLength: 12}), fc.integer({min: 1, max: 4})],
  async (t, jobs, batchSize) => {
    const generator = new ScriptedGenerator();
    const queue = new GenerationQueue(generator, {batchSize});
    const results = await Promise.allSettled(
      jobs.map(({priority, ...options}) => queue.submit(options, {priority})),
    );
    for (const [index, result] of results.entries()) {
      const {prompt, seed} = jobs[index]!;
      if (prompt === 'broken') t.is(result.status, 'rejected');
      else if (result.status === 'rejected') t.fail(String(result.reason));
      else t.deepEqual([result.value.latents.data[0], result.value.seed], [prompt.length, seed]);
    }
    t.true(generator.batches.every(batch => batch.length <= batchSize));
    await queue.close();
  },
  {numRuns: 30},
);
