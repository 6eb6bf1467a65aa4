/**
 * How much native memory this process holds.
 */
import type {MemoryUsage} from './addon.ts';
import {loadAddon} from './load-addon.ts';

/**
 * Bytes in tensors and in the memory that programs share, now and at most so far; all threads of the process.
 */
export function memoryUsage(): MemoryUsage {
  return loadAddon().memoryUsage();
}

/**
 * Gives the memory that programs share back to the system once no run is waiting; the next run takes it
 * again.
 */
export function trimMemory(): void {
  loadAddon().trimMemory();
}
