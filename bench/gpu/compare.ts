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
  const of = (cases: readonly BenchCase[], ways = allWays, perCall = 1): GpuCase[] =>
    cases.map(benchCase => ({benchCase, calls: perCall, ways}));
  switch (name) {
    case 'attention':
      // One kernel each, or three: nothing to compile.
      return of(
        [...selfAttentionCases(calls), ...decoupledAttentionCases(calls)],
        ['eager', 'captured'],
        calls,
      );
    case 'projection':
      return of(projectionCases(configs, [1, 64]));
    case 'clip':
      return of(clipCases(configs));
    case 'vae':
      return of(vaeDecodeCases(configs));
    case 'unet':
      return of(unetCases(configs, [2]));
    case 'unet16':
      return of(unetCases(configs, [16]));
    default:
      return [1, 4, 16].flatMap(batch =>
        of([pipelineCase({steps, batch, guidance: 'three-way'})], ['eager']),
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

/**
 * Median seconds of ours and of each of PyTorch's ways, and the most memory that either process has had until then: of all
 * pictures, those at once are fewest first.
 */
interface Times {
  readonly ours: number;
  readonly theirs: ReadonlyMap<PyTorchWay, number>;
  readonly floor: number;
  readonly oursPeakBytes: number;
  readonly pytorchPeakBytes: number | null;
}

async function timeCase(
  device: Device,
  worker: PyTorchWorker | undefined,
  {benchCase, calls, ways}: GpuCase,
  {dtype, repeats, ways: wanted, compileMode}: Settings,
): Promise<Times> {
  const engine = new Engine(device);
  const workload = await benchCase.load({engine, dtype});
  const run = async (iterations: number) => {
    const start = performance.now();
    for (let i = 0; i < iterations; i++) await workload.run();
    return (performance.now() - start) / 1000 / iterations;
  };
  const used = worker === undefined ? [] : ways.filter(way => wanted.includes(way));
  if (used.length > 0) await worker!.load(benchCase, dtype, used, compileMode);
  const sides: Side[] = used.map(way => ({run: iterations => worker!.run(iterations, way)}));
  const [ours, ...theirs] = (await measureInTurns([{run}, ...sides], repeats, false, turnSeconds)).map(
    ({median}) => median / calls,
  );
  const {peakBufferBytes, peakArenaBytes} = device.memoryUsage();
  const pytorchPeakBytes = worker === undefined ? null : await worker.peakBytes();
  await worker?.unload();
  await workload.dispose();
  await engine.dispose();
  trimMemory(device);
  const peak = publishedPeak(device.systemInfo().cuda!.name);
  return {
    ours: ours!,
    theirs: new Map(used.map((way, index) => [way, theirs[index]!])),
    floor: floorSeconds(workload.work, dtype, peak) / calls,
    oursPeakBytes: peakBufferBytes + peakArenaBytes,
    pytorchPeakBytes,
  };
}

function toRow({benchCase: {name, shape}}: GpuCase, dtype: string, times: Times): Row {
  const {ours, theirs, floor, oursPeakBytes, pytorchPeakBytes} = times;
  const seconds = allWays.map(way => [way, theirs.get(way) ?? null] as const);
  return {
    name,
    shape,
    dtype,
    'ours ms': 1000 * ours,
    ...Object.fromEntries(seconds.map(([way, value]) => [`${way} ms`, value && 1000 * value])),
    ...Object.fromEntries(seconds.map(([way, value]) => [`x ${way}`, value && value / ours])),
    'floor ms': 1000 * floor,
    ...(name === 'pipeline' && {oursPeakBytes, pytorchPeakBytes}),
  };
}

function describe({ours, theirs}: Times): string {
  const others = [...theirs].map(([way, seconds]) => `, ${way} ${milliseconds(seconds)}`);
  return `ours ${milliseconds(ours)} ms${others.join('')}`;
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
        const times = await timeCase(device, worker, gpuCase, {dtype, ...settings});
        console.log(`${gpuCase.benchCase.name}, ${dtype}, ${gpuCase.benchCase.shape}: ${describe(times)}`);
        rows.push(toRow(gpuCase, dtype, times));
        // After each: a run that is cut off has left what it knew.
        if (values.json !== undefined) writeReport(values.json, {machine, rows});
      }
    }
  }
  await worker?.close();
}

await runProgram(main);
