/**
 * How much memory this process holds, by device.
 */
import type {DeviceHandle, MemoryUsage} from './addon.ts';
import {loadAddon} from './load-addon.ts';

/** A device, as far as memory is concerned; the processor has no handle. */
interface MemoryOwner {
  readonly handle: DeviceHandle | undefined;
}

/**
 * Bytes in tensors and in the memory that programs share, now and at most so far; all threads of the process.
 *
 * @param device default: the processor, which is the host's memory
 */
export function memoryUsage(device?: MemoryOwner): MemoryUsage {
  return loadAddon().memoryUsage(device?.handle);
}

/**
 * Gives the memory that programs share back to the system once no run is waiting; the next run takes it
 * again.
 */
export function trimMemory(device?: MemoryOwner): void {
  loadAddon().trimMemory(device?.handle);
}
