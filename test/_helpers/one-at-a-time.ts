let last: Promise<unknown> = Promise.resolve();

/**
 * Runs `start` when all that came before is done. Ava starts all tests of a file at once; where each starts a process of
 * its own they would only slow each other down, past their time limits on a small machine.
 */
export function oneAtATime<T>(start: () => Promise<T>): Promise<T> {
  const mine = last.then(start);
  last = mine.catch(() => undefined);
  return mine;
}
