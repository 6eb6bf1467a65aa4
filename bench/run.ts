/**
 * The bench: ours and PyTorch on the same work, in turns, in one run.
 *
 *   npm run bench -- [--suite NAME,...] [--dtype float32,bfloat16] [--repeats 5] [--steps 20] [--json FILE]
 *                    [--compare FILE] [--threshold 0.1]
 *
 * `PYTHON` names the interpreter that has torch; without one, only ours is measured. Both use `IPAI_NUM_THREADS`
 * threads, default all cores. For GPUs there is gpu/compare.ts. With `--compare`, the exit status is 1 where a case
 * became slower than an earlier report says by more than the threshold.
 */
import {readFileSync} from 'node:fs';
import {parseArgs} from 'node:util';
import {Engine} from '../lib/engine/engine.ts';
import type {ComputeDType} from '../lib/pipelines/compute-dtype.ts';
import {type Device, openDevice} from '../lib/runtime/device.ts';
import {trimMemory} from '../lib/runtime/memory.ts';
import type {BenchCase, Work} from './bench-case.ts';
import {
  buildMachinePeak,
  describeMachine,
  floorSeconds,
  higherPeak,
  type MachinePeak,
  measurePeak,
} from './machine.ts';
import {type Measurement, measureInTurns, type Side} from './measure.ts';
import {dtypesIn, namesIn, positiveNumber, runProgram} from './options.ts';
import {PyTorchWorker} from './pytorch-worker.ts';
import {
  type BenchReport,
  type BenchRow,
  compareReports,
  milliseconds,
  rowsTable,
  writeReport,
} from './report.ts';
import {casesOf, suiteNames} from './suites/index.ts';

/** Load average of the last minute above which others take so much of the cores that figures mean little. */
const busyLoad = 0.5;

interface Options {
  readonly suites: readonly string[];
  readonly dtypes: readonly ComputeDType[];
  readonly repeats: number;
  readonly steps: number;
  readonly threshold: number;
  readonly json: string | undefined;
  readonly compare: string | undefined;
}

function readOptions(): Options {
  const {values} = parseArgs({
    options: {
      suite: {type: 'string', default: 'quick'},
      dtype: {type: 'string', default: 'float32,bfloat16'},
      repeats: {type: 'string', default: '5'},
      steps: {type: 'string', default: '20'},
      threshold: {type: 'string', default: '0.1'},
      json: {type: 'string'},
      compare: {type: 'string'},
    },
  });
  return {
    suites: namesIn('--suite', values.suite, suiteNames),
    dtypes: dtypesIn(values.dtype),
    repeats: positiveNumber('--repeats', values.repeats),
    steps: positiveNumber('--steps', values.steps),
    threshold: positiveNumber('--threshold', values.threshold),
    json: values.json,
    compare: values.compare,
  };
}

interface TimedCase {
  readonly benchCase: BenchCase;
  readonly dtype: ComputeDType;
  readonly work: Work;
  readonly ours: Measurement;
  readonly pytorch: Measurement | null;
}

async function timeCase(
  device: Device,
  worker: PyTorchWorker | undefined,
  benchCase: BenchCase,
  dtype: ComputeDType,
  repeats: number,
): Promise<TimedCase> {
  const engine = new Engine(device);
  const workload = await benchCase.load({engine, dtype});
  const sides: Side[] = [{run: iterations => timeRuns(workload.run, iterations)}];
  if (worker !== undefined) {
    await worker.load(benchCase, dtype);
    sides.push(worker);
  }
  const [ours, pytorch] = await measureInTurns(sides, repeats, benchCase.warmedByLoading ?? false);
  await worker?.unload();
  await workload.dispose();
  await engine.dispose();
  trimMemory(device);
  return {benchCase, dtype, work: workload.work, ours: ours!, pytorch: pytorch ?? null};
}

async function timeRuns(run: () => Promise<void>, iterations: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < iterations; i++) await run();
  return (performance.now() - start) / 1000 / iterations;
}

function toRow(
  {benchCase, dtype, work, ours, pytorch}: TimedCase,
  device: Device,
  peak: MachinePeak,
): BenchRow {
  return {
    name: benchCase.name,
    device: device.kind,
    dtype,
    shape: benchCase.shape,
    oursSeconds: ours.median,
    pytorchSeconds: pytorch?.median ?? null,
    ratio: pytorch && pytorch.median / ours.median,
    floorSeconds: floorSeconds(work, dtype, peak),
    ours,
    pytorch,
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  const before: BenchReport | undefined =
    options.compare && JSON.parse(readFileSync(options.compare, 'utf8'));
  const device = openDevice('cpu');
  const {threads} = device.systemInfo();
  const started = await PyTorchWorker.start(threads);
  const worker = typeof started === 'string' ? undefined : started;
  if (typeof started === 'string') {
    console.log(`PyTorch is not measured (${started}). Name an interpreter that has torch by PYTHON.`);
  }
  const machine = describeMachine(device, worker?.torch ?? null);
  if (machine.loadBefore > busyLoad) {
    console.log(`The machine is busy (load ${machine.loadBefore.toFixed(2)}): figures will not hold.`);
  }
  const program = await buildMachinePeak();
  const peakNow = () => measurePeak(program, threads);
  let peak = await peakNow();

  const timed: TimedCase[] = [];
  for (const benchCase of await casesOf(options.suites, options.steps)) {
    for (const dtype of options.dtypes) {
      const result = await timeCase(device, worker, benchCase, dtype, options.repeats);
      const times = `${milliseconds(result.ours.median)} ms, PyTorch ${milliseconds(result.pytorch?.median ?? null)} ms`;
      console.log(`${benchCase.name}, ${dtype}, ${benchCase.shape}: ${times}`);
      timed.push(result);
      peak = higherPeak(peak, await peakNow());
    }
  }
  await worker?.close();

  const report: BenchReport = {machine, peak, rows: timed.map(result => toRow(result, device, peak))};
  print(report);
  if (options.json !== undefined) writeReport(options.json, report);
  if (before !== undefined) printComparison(before, report, options.threshold);
}

function print({machine, peak, rows}: BenchReport): void {
  const {cpuModel, cpuTarget, threads, loadBefore, torch} = machine;
  console.log(`\n${cpuModel}, ${cpuTarget}, ${threads} threads, PyTorch ${torch ?? 'absent'}`);
  const rates = `${peak.fmaGflops} GFLOP/s in float32, ${peak.bf16Gflops} in bfloat16, ${peak.bandwidthGBs} GB/s`;
  console.log(`measured peak: ${rates}; load before: ${loadBefore.toFixed(2)}\n`);
  console.log(rowsTable(rows));
}

function printComparison(before: BenchReport, after: BenchReport, threshold: number): void {
  const {text, slower} = compareReports(before, after, threshold);
  console.log(`\nagainst ${before.machine.date} on ${before.machine.cpuModel}:\n${text}`);
  if (slower.length === 0) return;
  console.error(`slower by more than ${100 * threshold} %: ${slower.join('; ')}`);
  process.exitCode = 1;
}

await runProgram(main);
