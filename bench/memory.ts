/**
 * Peak memory of a picture of 512x512 at full size with three-way guidance: what is told beforehand, what it takes, and
 * what PyTorch takes for as many evaluations of the UNet. Linux only.
 *
 *   npx tsx bench/memory.ts [--dtype float32] [--steps 2] [--image FILE] [--json FILE]
 *
 * One dtype a run: the peak is the process's. The exit status is 1 where it is further than 5 % from what was told.
 */
import {parseArgs} from 'node:util';
import type {ComputeDType} from '../lib/pipelines/compute-dtype.ts';
import {IPAdapterInstructPipeline} from '../lib/pipelines/ip-adapter-instruct-pipeline.ts';
import {openDevice} from '../lib/runtime/device.ts';
import {describeMachine} from './machine.ts';
import {dtypesIn, positiveNumber, runProgram} from './options.ts';
import {PyTorchWorker} from './pytorch-worker.ts';
import {writeReport} from './report.ts';
import {residentBytes} from './resident-memory.ts';
import {pictureOptions, pipelineCase} from './suites/pipeline.ts';

const tolerance = 0.05;

interface Options {
  readonly dtype: ComputeDType;
  readonly steps: number;
  readonly image: string | undefined;
  readonly json: string | undefined;
}

function readOptions(): Options {
  const {values} = parseArgs({
    options: {
      dtype: {type: 'string', default: 'float32'},
      steps: {type: 'string', default: '2'},
      image: {type: 'string'},
      json: {type: 'string'},
    },
  });
  const {dtype, steps, ...files} = values;
  return {
    dtype: dtypesIn(dtype)[0]!,
    steps: positiveNumber('--steps', steps),
    image: files.image,
    json: files.json,
  };
}

/** Estimate and measured peak of this process, in bytes. */
async function measureOurs({dtype, steps, image}: Options): Promise<{estimate: number; peak: number}> {
  await using pipeline = await IPAdapterInstructPipeline.random({size: 'sd15', dtype});
  const picture = pictureOptions({steps});
  const options = {
    ...picture,
    guidance: 'three-way',
    ipAdapterImage: image ?? picture.ipAdapterImage!,
  } as const;
  const estimate = pipeline.estimateMemory(options).totalBytes;
  console.log(`${dtype}: expecting ${gigabytes(estimate)}`);
  // Twice: what the first one leaves lies beside the second.
  await pipeline.generate(options);
  await pipeline.generate(options);
  return {estimate, peak: residentBytes('VmHWM')};
}

/** Peak of PyTorch's process, which batches as many rows; undefined where there is no PyTorch. */
async function measurePyTorch(
  {dtype, steps}: Options,
  threads: number,
): Promise<{peak: number; torch: string} | undefined> {
  const worker = await PyTorchWorker.start(threads);
  if (typeof worker === 'string') {
    console.log(`PyTorch is not measured (${worker}).`);
    return undefined;
  }
  await worker.load(pipelineCase({steps}), dtype);
  const peak = await worker.peakBytes();
  await worker.close();
  return {peak, torch: worker.torch};
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

async function main(): Promise<void> {
  const options = readOptions();
  const {dtype, json} = options;
  const device = openDevice('cpu');
  const machine = describeMachine(device, null);
  const ours = await measureOurs(options);
  const error = ours.peak / ours.estimate - 1;
  console.log(`${dtype}: took ${gigabytes(ours.peak)}, ${(100 * error).toFixed(1)} % off what was told`);
  const pytorch = await measurePyTorch(options, device.systemInfo().threads);
  if (pytorch !== undefined) {
    console.log(
      `PyTorch took ${gigabytes(pytorch.peak)}: ours is ${(ours.peak / pytorch.peak).toFixed(2)} of it`,
    );
  }
  if (json !== undefined) {
    const row = {
      name: 'peak memory of a picture',
      dtype,
      estimateBytes: ours.estimate,
      oursBytes: ours.peak,
      pytorchBytes: pytorch?.peak ?? null,
    };
    writeReport(json, {machine: {...machine, torch: pytorch?.torch ?? null}, rows: [row]});
  }
  if (Math.abs(error) > tolerance) process.exitCode = 1;
}

await runProgram(main);
