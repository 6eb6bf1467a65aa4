import {TorchGenerator} from '../schedulers/torch-generator.ts';

/** In an order that is the same for the same seed. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  return Array.from(new TorchGenerator(seed).randperm(items.length), index => items[index]!);
}

/**
 * One item of each group, then a second of each that has two, and so on: many items come of few groups only where there is
 * no other way. Groups, and the items of each, are shuffled.
 */
export function* inRounds<T>(groups: Iterable<readonly T[]>, seed: number): Generator<T> {
  let left = shuffled(
    Array.from(groups, (group, number) => shuffled(group, seed + number)),
    seed,
  );
  for (let round = 0; left.length > 0; round++) {
    left = left.filter(group => round < group.length);
    for (const group of left) yield group[round]!;
  }
}
