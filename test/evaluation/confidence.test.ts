import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {bootstrap, bootstrapInterval} from '../../lib/evaluation/confidence.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';

const values = fc.array(fc.double({min: -100, max: 100, noNaN: true}), {minLength: 1, maxLength: 30});

testProp(
  'the interval lies within the values, and equal seeds give equal ones',
  [values, fc.nat()],
  (t, drawn, seed) => {
    const interval = bootstrapInterval(drawn, {resamples: 50, seed});
    t.deepEqual(bootstrapInterval(drawn, {resamples: 50, seed}), interval);
    const rounding = 1e-9;
    t.true(Math.min(...drawn) - rounding <= interval.low);
    t.true(interval.low <= interval.high);
    t.true(interval.high <= Math.max(...drawn) + rounding);
  },
);

test('another seed gives another interval', t => {
  const of = (seed: number) => bootstrapInterval([1, 5, 2, 8, 3], {resamples: 10, seed});
  t.notDeepEqual(of(1), of(2));
});

test('of many values it is as wide as the normal approximation says', t => {
  const drawn = [...new TorchGenerator(7).randn([400])];
  const {mean, low, high} = bootstrapInterval(drawn, {resamples: 4000, seed: 0});
  t.is(mean, drawn.reduce((a, b) => a + b) / drawn.length);
  const deviation = Math.sqrt(drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length);
  const half = (1.96 * deviation) / Math.sqrt(drawn.length);
  t.true(Math.abs(low - (mean - half)) < 0.1 * half);
  t.true(Math.abs(high - (mean + half)) < 0.1 * half);
});

test('it holds the true mean about 19 times in 20', t => {
  const generator = new TorchGenerator(3);
  const hits = Array.from({length: 300}, (_, seed) => {
    const {low, high} = bootstrapInterval([...generator.randn([40])], {resamples: 200, seed});
    return low <= 0 && 0 <= high;
  });
  const share = hits.filter(Boolean).length / hits.length;
  t.true(share > 0.9 && share < 0.98, `${share}`);
});

test('refuses no values', t => {
  t.throws(() => bootstrapInterval([], {resamples: 10, seed: 0}), {
    instanceOf: ArgumentError,
    message: /at least one/,
  });
});

test('any statistic of any items has one', t => {
  const items = [
    {a: 1, b: 2},
    {a: 2, b: 4},
  ];
  const ratio = bootstrap(
    items,
    some => some.reduce((sum, {a}) => sum + a, 0) / some.reduce((sum, {b}) => sum + b, 0),
    {resamples: 50, seed: 1},
  );
  t.deepEqual(ratio, {mean: 0.5, low: 0.5, high: 0.5});
});
