/**
 * What else the process can do while it generates, at full size: how late a timer of 10 ms is at the worst, and how long
 * an abort takes beside the longest op. Then 200 generations of a small model, after which memory must be what it was.
 * Linux only.
 *
 *   npx tsx bench/responsiveness.ts [--dtype float32] [--json FILE]
 *
 * The exit status is 1 where the timer is late by more than 50 ms, an abort takes longer than that and the longest op
 * together, or memory grows by more than 5 %.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {parseArgs} from 'node:util';
import {ProfileSink} from '../lib/engine/profile.ts';
import type {ComputeDType} from '../lib/pipelines/compute-dtype.ts';
import {IPAdapterInstructPipeline} from '../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {openDevice} from '../lib/runtime/device.ts';
import {type Lateness, LatenessWatch} from './event-loop.ts';
import {describeMachine} from './machine.ts';
import {dtypesIn, runProgram} from './options.ts';
import {writeReport} from './report.ts';
import {residentBytes} from './resident-memory.ts';
import {pictureOptions} from './suites/pipeline.ts';

const latenessLimitMs = 50;
const growthLimit = 0.05;
const generations = 200;
/** Generations after which heap, arena and allocator have found their size. */
const settling = 40;

interface FullSize extends Lateness {
  readonly longestOpMs: number;
  readonly abortMs: number;
}

async function measureFullSize(dtype: ComputeDType): Promise<FullSize> {
  await using pipeline = await IPAdapterInstructPipeline.random({size: 'sd15', dtype});
  const profile = new ProfileSink();
  const watch = new LatenessWatch();
  await pipeline.generate({...pictureOptions({steps: 2}), profile});
  const lateness = watch.stop();
  const longestOpMs = Math.max(...profile.rows.map(row => (row.endUs - row.startUs) / 1000));
  return {...lateness, longestOpMs, abortMs: await abortInStep(pipeline)};
}

/** Milliseconds from an abort in the middle of a step to the rejection. */
async function abortInStep(pipeline: IPAdapterInstructPipeline): Promise<number> {
  const controller = new AbortController();
  let abortedAt = 0;
  const abortSoon = async () => {
    await sleep(500);
    abortedAt = performance.now();
    controller.abort();
  };
  let aborting: Promise<void> | undefined;
  const run = pipeline.generate({
    ...pictureOptions({steps: 4}),
    signal: controller.signal,
    onProgress: ({type}) => {
      if (type === 'step') aborting ??= abortSoon();
    },
  });
  const outcome = await run.then(
    () => 'finished',
    () => 'rejected',
  );
  const end = performance.now();
  await aborting;
  if (outcome === 'finished') throw new Error('abort: expected a rejection, got a picture.');
  return end - abortedAt;
}

/** Resident memory after all generations in units of that after the first few. */
async function measureGrowth(): Promise<number> {
  await using pipeline = await IPAdapterInstructPipeline.random({size: 'tiny'});
  let settled = 0;
  for (let generation = 1; generation <= generations; generation++) {
    await pipeline.generate({...pictureOptions({steps: 2}), height: 128, width: 128});
    if (generation === settling) settled = residentBytes('VmRSS');
  }
  return residentBytes('VmRSS') / settled - 1;
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {dtype: {type: 'string', default: 'float32'}, json: {type: 'string'}},
  });
  const dtype = dtypesIn(values.dtype)[0]!;
  const machine = describeMachine(openDevice('cpu'), null);
  const growth = await measureGrowth();
  console.log(
    `${generations} generations: resident memory ${(100 * growth).toFixed(1)} % more than after ${settling}`,
  );
  const fullSize = await measureFullSize(dtype);
  const {latenessMs, blockedMs, longestOpMs, abortMs} = fullSize;
  console.log(
    `worst lateness of a 10 ms timer: ${latenessMs.toFixed(1)} ms, of which ours ${blockedMs.toFixed(1)} ms`,
  );
  console.log(
    `abort: rejected after ${abortMs.toFixed(1)} ms; the longest op takes ${longestOpMs.toFixed(1)} ms`,
  );
  if (values.json !== undefined) {
    const row = {name: 'responsiveness', dtype, ...fullSize, growth};
    writeReport(values.json, {machine, rows: [row]});
  }
  const abortLimitMs = longestOpMs + latenessLimitMs;
  if (latenessMs > latenessLimitMs || abortMs > abortLimitMs || growth > growthLimit) process.exitCode = 1;
}

await runProgram(main);
