const pauseMilliseconds = 5000;

/** Tells on standard error how much is done, a line every few seconds. */
export function countProgress(unit: string) {
  let next = performance.now() + pauseMilliseconds;
  return ({done, count}: {readonly done: number; readonly count: number}) => {
    if (performance.now() < next) return;
    next = performance.now() + pauseMilliseconds;
    process.stderr.write(`${done}/${count} ${unit}\n`);
  };
}
