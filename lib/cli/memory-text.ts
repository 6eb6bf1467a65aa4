import {formatBytes} from '../inspect/format.ts';
import type {MemoryEstimate} from '../pipelines/memory-estimate.ts';

/** One line: what a generation will need in all, and of what that is made. */
export function memoryText(estimate: MemoryEstimate): string {
  const {totalBytes, baselineBytes, weightBytes, arenaBytes, heldBytes} = estimate;
  return (
    `memory: about ${formatBytes(totalBytes)} (process ${formatBytes(baselineBytes)}, ` +
    `weights ${formatBytes(weightBytes)}, activations ${formatBytes(arenaBytes)}, kept ${formatBytes(heldBytes)})`
  );
}
