import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../../lib/errors.ts';
import {timestepAt, timestepBias} from '../../../lib/training/batches/timestep-bias.ts';

const uniform = fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true});

testProp('without a bias timesteps are alike', [uniform], (t, u) => {
  t.is(timestepAt(u, 1000), Math.floor(u * 1000));
});

testProp(
  'timesteps of the range come so many times as often, and the others alike',
  [fc.nat(9), fc.integer({min: 1, max: 10}), fc.integer({min: 1, max: 8})],
  (t, begin, length, multiplier) => {
    const bias = {begin, end: Math.min(begin + length, 10), multiplier};
    const total = 10 + (multiplier - 1) * (bias.end - begin);
    const counts = Array<number>(10).fill(0);
    // The middles of equal parts, of which each timestep has one or as many as the multiplier.
    for (let part = 0; part < total; part++) counts[timestepAt((part + 0.5) / total, 10, bias)]!++;
    t.deepEqual(
      counts,
      counts.map((_, step) => (step >= begin && step < bias.end ? multiplier : 1)),
    );
  },
);

test('refuses ranges that are none, or end too late', t => {
  t.false(timestepBias.safeParse({begin: 5, end: 5, multiplier: 2}).success);
  t.false(timestepBias.safeParse({begin: 0, end: 5, multiplier: 0}).success);
  t.throws(() => timestepAt(0.5, 1000, {begin: 400, end: 1001, multiplier: 2}), {
    instanceOf: ArgumentError,
    message: /1000/,
  });
});
