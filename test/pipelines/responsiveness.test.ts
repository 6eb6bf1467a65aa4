import test from 'ava';
import {LatenessWatch} from '../../bench/event-loop.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';
import {IPAdapterInstructPipeline} from '../../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {memoryUsage} from '../../lib/runtime/memory.ts';

const options: GenerateOptions = {
  prompt: 'a house by the sea',
  instruction: 'use the style',
  ipAdapterImage: {width: 64, height: 64, channels: 3, data: new Uint8Array(3 * 64 * 64).fill(128)},
  height: 64,
  width: 64,
  numInferenceSteps: 2,
  seed: 0,
};

test.serial('the main thread stays responsive while pictures are made', async t => {
  await using pipeline = await IPAdapterInstructPipeline.random();
  const watch = new LatenessWatch();
  await pipeline.generate({...options, height: 256, width: 256, numInferenceSteps: 10});
  const lateness = watch.stop();
  t.true(lateness <= 50, `a timer was late by ${lateness.toFixed(1)} ms`);
});

test.serial('an abort rejects with its reason, after the op that runs', async t => {
  await using pipeline = await IPAdapterInstructPipeline.random();
  const controller = new AbortController();
  const reason = new Error('enough');
  let abortedAt = 0;
  const onProgress = ({type}: {readonly type: string}) => {
    if (type !== 'step' || abortedAt > 0) return;
    abortedAt = performance.now();
    controller.abort(reason);
  };
  const run = pipeline.generate({
    ...options,
    height: 256,
    width: 256,
    numInferenceSteps: 50,
    signal: controller.signal,
    onProgress,
  });
  t.is(await t.throwsAsync(run), reason);
  const latency = performance.now() - abortedAt;
  t.true(latency <= 50, `rejected after ${latency.toFixed(1)} ms`);
});

test.serial('two hundred generations leave memory as it was', async t => {
  await using pipeline = await IPAdapterInstructPipeline.random();
  for (let generation = 0; generation < 50; generation++) await pipeline.generate(options);
  const settled = {native: memoryUsage(), resident: process.memoryUsage.rss()};
  for (let generation = 0; generation < 150; generation++) await pipeline.generate(options);
  const after = {native: memoryUsage(), resident: process.memoryUsage.rss()};
  t.is(after.native.bufferBytes, settled.native.bufferBytes);
  t.is(after.native.arenaBytes, settled.native.arenaBytes);
  t.log({settled: settled.resident, after: after.resident});
  t.true(after.resident <= 1.05 * settled.resident);
});
