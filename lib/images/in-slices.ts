import {setImmediate} from 'node:timers/promises';

/** How long the event loop may wait for one slice of work, in milliseconds. */
const sliceMilliseconds = 5;

/** Calls `work` for 0 .. count - 1 and lets the event loop turn whenever a slice is used up. */
export async function inSlices(count: number, work: (index: number) => void): Promise<void> {
  let sliceEnd = performance.now() + sliceMilliseconds;
  for (let index = 0; index < count; index++) {
    work(index);
    if (performance.now() >= sliceEnd) {
      await setImmediate();
      sliceEnd = performance.now() + sliceMilliseconds;
    }
  }
}
