import {setTimeout as sleep} from 'node:timers/promises';

/** Waits for something that nobody tells of; the test's timeout ends it. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(20);
}
