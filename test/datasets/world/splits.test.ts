import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {sampleSeed, splits} from '../../../lib/datasets/world/splits.ts';
import {ArgumentError} from '../../../lib/errors.ts';

const setSeeds = fc.integer({min: 0, max: Number.MAX_SAFE_INTEGER});
const indices = fc.integer({min: 0, max: 2 ** 30 - 1});

testProp(
  'no two splits share a seed, whatever the seeds of the sets',
  [setSeeds, setSeeds, indices, indices],
  (t, seed, otherSeed, index, otherIndex) => {
    const found = splits.flatMap(split => [
      sampleSeed(split, seed, index),
      sampleSeed(split, otherSeed, otherIndex),
    ]);
    // Two a split, which may be equal.
    for (const [i, value] of found.entries()) {
      t.true(value >= 0 && value < 2 ** 32);
      for (const [j, other] of found.entries()) if (i >> 1 !== j >> 1) t.not(value, other);
    }
  },
);

testProp('no two samples of a set share a seed', [setSeeds, indices, indices], (t, seed, index, other) => {
  fc.pre(index !== other);
  t.not(sampleSeed('train', seed, index), sampleSeed('train', seed, other));
});

test('seeds and indices that are none', t => {
  t.throws(() => sampleSeed('train', -1, 0), {instanceOf: ArgumentError, message: /seed/});
  t.throws(() => sampleSeed('train', 0.5, 0), {instanceOf: ArgumentError, message: /seed/});
  t.throws(() => sampleSeed('train', 0, 2 ** 30), {instanceOf: ArgumentError, message: /index/});
});
