import {shuffled} from './in-rounds.ts';

export interface Pair<T> {
  readonly target: T;
  readonly condition: T;
}

/**
 * Pairs of different members of one group: each member is a target once before any is a second time, and never with the same
 * condition again.
 */
export function* pairs<T>(groups: Iterable<readonly T[]>, seed: number): Generator<Pair<T>> {
  const mixed = Array.from(groups, (group, number) => shuffled(group, seed + number));
  const targets = shuffled(
    mixed.flatMap(members => members.map((target, place) => ({target, place, members}))),
    seed,
  );
  const largest = mixed.reduce((most, {length}) => Math.max(most, length), 0);
  for (let distance = 1; distance < largest; distance++) {
    for (const {target, place, members} of targets) {
      if (distance >= members.length) continue;
      yield {target, condition: members[(place + distance) % members.length]!};
    }
  }
}
