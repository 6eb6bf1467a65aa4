import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {niceTicks, scaleOf} from '../../../lib/evaluation/report/axis.ts';

const numbers = fc.integer({min: -1e6, max: 1e6}).map(thousandths => thousandths / 1000);

testProp(
  'a range lies between its first and last tick, which are few and evenly apart',
  [numbers, numbers],
  (t, a, b) => {
    const [low, high] = [Math.min(a, b), Math.max(a, b)];
    fc.pre(high > low);
    const ticks = niceTicks(low, high);
    const tolerance = 1e-6 * (high - low);
    t.true(ticks[0]! <= low + tolerance && ticks.at(-1)! >= high - tolerance);
    t.true(ticks.length >= 2 && ticks.length <= 7, `${ticks}`);
    const step = ticks[1]! - ticks[0]!;
    t.true(ticks.every((tick, i) => Math.abs(tick - ticks[0]! - i * step) < 1e-3 * step));
  },
);

test('ticks are round', t => {
  t.deepEqual(niceTicks(0.11, 0.58), [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
  t.deepEqual(niceTicks(0, 100_000), [0, 20_000, 40_000, 60_000, 80_000, 100_000]);
  t.deepEqual(niceTicks(3, 3), [3, 4]);
  t.deepEqual(niceTicks(0, 0), [0, 0.2]);
});

test('the ends of the ticks are those of the plot', t => {
  const toY = scaleOf([0, 5, 10], [200, 0]);
  t.deepEqual([0, 5, 10].map(toY), [200, 100, 0]);
});
