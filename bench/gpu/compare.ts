/**
 * Ours on a GPU beside PyTorch's ways to run the same: op by op, captured as a CUDA graph, by `torch.compile`.
 *
 *   PYTHON=python3 npx tsx bench/gpu/compare.ts [--case NAME,...] [--ways eager,captured,compiled]
 *          [--compile-mode max-autotune] [--dtype float16] [--repeats 7] [--steps 30] [--json FILE]
 *
 * All take turns in one run. A chain of 16 attentions is timed and divided; all else is a call whose caller waits for it.
 */
import {parseArgs} from 'node:util';
import {Engine} from '../../lib/engine/engine.ts';
import type {ComputeDType} from '../../lib/pipelines/compute-dtype.ts';
import {type Device, openDevice} from '../../lib/runtime/device.ts';
import {trimMemory} from '../../lib/runtime/memory.ts';
import type {BenchCase} from '../bench-case.ts';
import {describeMachine, floorSeconds} from '../machine.ts';
import {measureInTurns, type Side} from '../measure.ts';
import {dtypesIn, namesIn, positiveNumber, runProgram} from '../options.ts';
import {type PyTorchWay, PyTorchWorker} from '../pytorch-worker.ts';
import {milliseconds, writeReport} from '../report.ts';
import {decoupledAttentionCases, selfAttentionCases} from '../suites/attention.ts';
import {stableDiffusion15} from '../suites/index.ts';
import {clipCases, type ModelConfigs, projectionCases, unetCases, vaeDecodeCases} from '../suites/models.ts';
import {pipelineCase} from '../suites/pipeline.ts';
import {publishedPeak} from './published-peaks.ts';

const calls = 16;
const turnSeconds = 0.1;

interface GpuCase {
  readonly benchCase: BenchCase;
  readonly calls: number;
  /** Of PyTorch: a whole picture is more than a graph. */
  readonly ways: readonly PyTorchWay[];
}

const allWays: readonly PyTorchWay[] = ['eager', 'captured', 'compiled'];
const caseNames = ['attention', 'projection', 'clip', 'vae', 'unet', 'unet16', 'pipeline'] as const;

function casesOf(name: string, configs: ModelConfigs, steps: number): GpuCase[] {
  const with_ = (cases: readonly BenchCase[], ways = allWays, calls = 1) =>
    cases.map(benchCase => ({benchCase, calls, ways}));
  switch (name) {
    case 'attention':
      // One kernel each, or three: nothing to compile.
      return with_(
        [...selfAttentionCases(calls), ...decoupledAttentionCases(calls)],
        ['eager', 'captured'],
        calls,
      );
    case 'projection':
      return with_(projectionCases(configs, [1, 64]));
    case 'clip':
      return with_(clipCases(configs));
    case 'vae':
      return with_(vaeDecodeCases(configs));
    case 'unet':
      return with_(unetCases(configs, [2]));
    case 'unet16':
      return with_(unetCases(configs, [16]));
    default:
      return [1, 4, 16].flatMap(batch =>
        with_([pipelineCase({steps, batch, guidance: 'three-way'})], ['eager']),
      );
  }
}

type Row = Readonly<Record<string, string | number | null>>;

interface Settings {
  readonly dtype: ComputeDType;
  readonly repeats: number;
  readonly ways: readonly PyTorchWay[];
  readonly compileMode: string;
}

async function timeCase(
  device: Device,
  worker: PyTorchWorker | undefined,
  {benchCase, calls, ways}: GpuCase,
  {dtype, repeats, ways: wanted, compileMode}: Settings,
): Promise<Row> {
  const engine = new Engine(device);
  const workload = await benchCase.load({engine, dtype});
  const run = async (iterations: number) => {
    const start = performance.now();
    for (let i = 0; i < iterations; i++) await workload.run();
    return (performance.now() - start) / 1000 / iterations;
  };
  const sides: Side[] = [{run}];
  const used = worker === undefined ? [] : ways.filter(way => wanted.includes(way));
  if (worker !== undefined && used.length > 0) {
    await worker.load(benchCase, dtype, used, compileMode);
    for (const way of used) sides.push({run: iterations => worker.run(iterations, way)});
  }
  const [ours, ...theirs] = (await measureInTurns(sides, repeats, false, turnSeconds)).map(
    ({median}) => median / calls,
  );
  const memory = {
    oursPeakBytes: device.memoryUsage().peakBufferBytes + device.memoryUsage().peakArenaBytes,
    pytorchPeakBytes: worker === undefined ? null : await worker.peakBytes(),
  };
  await worker?.unload();
  await workload.dispose();
  await engine.dispose();
  trimMemory(device);
  const of = (way: PyTorchWay) => theirs[used.indexOf(way)] ?? null;
  const columns = allWays.map(way => [`${way} ms`, of(way) === null ? null : 1000 * of(way)!] as const);
  const ratios = allWays.map(way => [`x ${way}`, of(way) === null ? null : of(way)! / ours!] as const);
  const peak = publishedPeak(device.systemInfo().cuda!.name);
  const row = {
    name: benchCase.name,
    shape: benchCase.shape,
    dtype,
    'ours ms': 1000 * ours!,
    ...Object.fromEntries([...columns, ...ratios]),
    'floor ms': (1000 * floorSeconds(workload.work, dtype, peak)) / calls,
    ...(benchCase.name === 'pipeline' && memory),
  };
  const times = columns.map(
    ([name, value]) => `${name} ${milliseconds(value === null ? null : value / 1000)}`,
  );
  console.log(`${row.name}, ${dtype}, ${row.shape}: ours ${milliseconds(ours!)}, ${times.join(', ')}`);
  return row;
}

async function main(): Promise<void> {
  const {values} = parseArgs({
    options: {
      case: {type: 'string', default: caseNames.join()},
      ways: {type: 'string', default: allWays.join()},
      'compile-mode': {type: 'string', default: 'max-autotune'},
      dtype: {type: 'string', default: 'float16'},
      repeats: {type: 'string', default: '7'},
      steps: {type: 'string', default: '30'},
      json: {type: 'string'},
    },
  });
  const device = openDevice('cuda');
  const started = await PyTorchWorker.start(device.systemInfo().threads, device.name);
  const worker = typeof started === 'string' ? undefined : started;
  if (typeof started === 'string') console.log(`PyTorch is not measured (${started}).`);
  const settings = {
    repeats: positiveNumber('--repeats', values.repeats),
    ways: namesIn('--ways', values.ways, allWays) as readonly PyTorchWay[],
    compileMode: values['compile-mode'],
  };
  const machine = {...describeMachine(device, worker?.torch ?? null), compileMode: settings.compileMode};
  const configs = await stableDiffusion15();
  const rows: Row[] = [];
  for (const name of namesIn('--case', values.case, caseNames)) {
    for (const gpuCase of casesOf(name, configs, positiveNumber('--steps', values.steps))) {
      for (const dtype of dtypesIn(values.dtype)) {
        rows.push(await timeCase(device, worker, gpuCase, {dtype, ...settings}));
        // After each: a run that is cut off has left what it knew.
        if (values.json !== undefined) writeReport(values.json, {machine, rows});
      }
    }
  }
  await worker?.close();
}

await runProgram(main);
