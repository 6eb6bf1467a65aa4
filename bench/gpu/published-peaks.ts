/**
 * What GPUs can do at most, from their makers' data sheets: dense products of 16-bit floats, float32 outside of them,
 * and memory.
 */
import type {MachinePeak} from '../machine.ts';

const peaks: readonly (readonly [RegExp, MachinePeak])[] = [
  [/H200/, {fmaGflops: 67_000, bf16Gflops: 989_000, bandwidthGBs: 4800}],
  [/H100 PCIe/, {fmaGflops: 51_000, bf16Gflops: 756_000, bandwidthGBs: 2000}],
  [/H100/, {fmaGflops: 67_000, bf16Gflops: 989_000, bandwidthGBs: 3350}],
  [/A100.*80GB/, {fmaGflops: 19_500, bf16Gflops: 312_000, bandwidthGBs: 2039}],
  [/A100/, {fmaGflops: 19_500, bf16Gflops: 312_000, bandwidthGBs: 1555}],
];

/** Infinite where the device is not known: floors are 0 then. */
export function publishedPeak(device: string): MachinePeak {
  const known = peaks.find(([name]) => name.test(device));
  return known?.[1] ?? {fmaGflops: Infinity, bf16Gflops: Infinity, bandwidthGBs: Infinity};
}
