/**
 * What a figure was measured on.
 */
import {execFile} from 'node:child_process';
import {loadavg, release, type} from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import type {Device, DeviceInfo} from '../lib/runtime/device.ts';
import type {Work} from './bench-case.ts';

const execute = promisify(execFile);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export interface Machine {
  readonly date: string;
  readonly cpuModel: string;
  readonly cpuFeatures: readonly string[];
  readonly cpuTarget: string;
  readonly cores: number;
  readonly threads: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
  /** The GPU that the figures are of; left out where they are the processor's. */
  readonly cuda?: DeviceInfo['cuda'];
  /** Null where PyTorch was not there. */
  readonly torch: string | null;
  /** Processes that wanted to run in the minute before: more than a few tenths spoil the figures. */
  readonly loadBefore: number;
}

/**
 * What the machine can do at most: the processor on the threads of the bench, by native/machine_peak.cpp; a GPU as
 * published.
 */
export interface MachinePeak {
  readonly fmaGflops: number;
  readonly bf16Gflops: number;
  readonly bandwidthGBs: number;
}

export function describeMachine(device: Device, torch: string | null): Machine {
  const {cpuModel, cpuFeatures, cpuTarget, cores, threads, totalMemoryBytes, cuda} = device.systemInfo();
  return {
    date: new Date().toISOString(),
    cpuModel,
    cpuFeatures,
    cpuTarget,
    cores,
    threads,
    memoryBytes: totalMemoryBytes,
    os: `${type()} ${release()}`,
    node: process.version,
    ...(cuda !== undefined && {cuda}),
    torch,
    loadBefore: loadavg()[0]!,
  };
}

/** Builds the program that measures the peaks; needs CMake and a compiler, as the addon does. */
export async function buildMachinePeak(): Promise<string> {
  const folder = path.join(root, 'build', 'bench');
  await execute('cmake', ['-S', root, '-B', folder, '-DIPAI_BUILD_BENCH=ON']);
  await execute('cmake', ['--build', folder, '--target', 'machine_peak']);
  return path.join(folder, 'bench', 'native', 'machine_peak');
}

export async function measurePeak(program: string, threads: number): Promise<MachinePeak> {
  const {stdout} = await execute(program, [String(threads)]);
  return JSON.parse(stdout);
}

/** The larger of each: whatever was reached is possible. */
export function higherPeak(a: MachinePeak, b: MachinePeak): MachinePeak {
  return {
    fmaGflops: Math.max(a.fmaGflops, b.fmaGflops),
    bf16Gflops: Math.max(a.bf16Gflops, b.bf16Gflops),
    bandwidthGBs: Math.max(a.bandwidthGBs, b.bandwidthGBs),
  };
}

/** The least time that the work can take by the usual algorithms; Winograd's convolution, which multiplies less, may. */
export function floorSeconds({flops, bytes}: Work, dtype: string, peak: MachinePeak): number {
  const gflops = dtype === 'float32' ? peak.fmaGflops : peak.bf16Gflops;
  return Math.max(flops / gflops, bytes / peak.bandwidthGBs) / 1e9;
}
