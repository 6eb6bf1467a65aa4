/**
 * Training, validation and test sets that never share a seed.
 */
import {invalidArgument} from '../../errors.ts';

export const splits = ['train', 'validation', 'test'] as const;
export type Split = (typeof splits)[number];

/** Seeds of one set. */
export const seedsPerSplit = 2 ** 30;

/**
 * The seed of a set's sample, of 32 bits: two say which split it is, and the others count on from a place that the set's
 * own seed gives. No two samples of a set share a seed, and no two of different splits, whatever the sets' seeds.
 *
 * @throws ArgumentError for a seed or index that is none
 */
export function sampleSeed(split: Split, seed: number, index: number): number {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw invalidArgument('seed', 'an integer from 0 to 2^53 - 1', seed);
  }
  if (!Number.isInteger(index) || index < 0 || index >= seedsPerSplit) {
    throw invalidArgument('index', 'an integer from 0 to 2^30 - 1', index);
  }
  // 2^32 / golden ratio sends neighbouring seeds far apart.
  const begin = BigInt(seed) * 0x9e3779b1n;
  const place = Number((begin + BigInt(index)) % BigInt(seedsPerSplit));
  return splits.indexOf(split) * seedsPerSplit + place;
}
