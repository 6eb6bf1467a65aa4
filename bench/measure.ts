/**
 * Timing two sides against each other: in turns, so that a change of the machine's speed meets both.
 */
import {setTimeout as sleep} from 'node:timers/promises';

/** Something that can be run again and again. */
export interface Side {
  /** Seconds of one of `iterations` runs in a row, on average. */
  run(iterations: number): Promise<number>;
}

export interface Measurement {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** A turn lasts at least this long, so that what precedes it (the other side) has no part in it. */
const defaultTurnSeconds = 0.3;
/** Threads of the other side go on spinning for a moment after its turn. */
const pauseMilliseconds = 30;
/** Where a run takes longer than this, three turns must do. */
const longSeconds = 20;
const fewTurns = 3;

/**
 * Runs the sides A B A B …: a warm-up, then `turns` times each.
 *
 * @param warm whether the sides have run before
 * @param turnSeconds the least time of a turn
 * @returns one measurement a side, of seconds for one run
 */
export async function measureInTurns(
  sides: readonly Side[],
  turns: number,
  warm: boolean,
  turnSeconds = defaultTurnSeconds,
): Promise<Measurement[]> {
  const iterations: number[] = [];
  for (const side of sides) iterations.push(warm ? 1 : await warmUp(side, turnSeconds));
  const times = sides.map((): number[] => []);
  let remaining = turns;
  for (let turn = 0; turn < remaining; turn++) {
    for (const [index, side] of sides.entries()) {
      await sleep(pauseMilliseconds);
      const seconds = await side.run(iterations[index]!);
      times[index]!.push(seconds);
      if (seconds > longSeconds) remaining = Math.min(turns, fewTurns);
    }
  }
  return times.map(summarize);
}

/** Runs until caches, branch predictors and lazily made weights are settled; returns how many runs fill a turn. */
async function warmUp(side: Side, turnSeconds: number): Promise<number> {
  const first = await side.run(1);
  if (first > longSeconds) return 1;
  const second = await side.run(1);
  const iterations = Math.ceil(turnSeconds / second);
  return iterations > 1 ? Math.ceil(turnSeconds / (await side.run(iterations))) : 1;
}

export function summarize(times: readonly number[]): Measurement {
  const sorted = [...times].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
  return {min: sorted[0]!, median, max: sorted.at(-1)!};
}
