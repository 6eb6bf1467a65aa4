import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {bootstrap, bootstrapInterval} from '../../lib/evaluation/confidence.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';

const options = {resamples: 1000, seed: 1};

testProp(
  'an interval lies within the values, around their mean',
  [fc.array(fc.double({min: -1, max: 1, noNaN: true}), {minLength: 1, maxLength: 20})],
  (t, values) => {
    const {mean, low, high} = bootstrapInterval(values, {resamples: 200, seed: 0});
    t.true(Math.min(...values) - 1e-9 <= low && low <= high && high <= Math.max(...values) + 1e-9);
    t.true(Math.abs(mean - values.reduce((a, b) => a + b) / values.length) < 1e-12);
  },
  {numRuns: 30},
);

test('of many normal values it is as wide as 1.96 standard errors on each side', t => {
  const values = [...new TorchGenerator(5).randn([400])];
  const {mean, low, high} = bootstrapInterval(values, options);
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  const expected = (1.96 * deviation) / Math.sqrt(values.length);
  t.true(Math.abs((high - low) / 2 / expected - 1) < 0.1, `${(high - low) / 2} and ${expected}`);
});

test('a seed gives an interval, and one value its own', t => {
  t.deepEqual(bootstrapInterval([1, 2, 5], options), bootstrapInterval([1, 2, 5], options));
  t.deepEqual(bootstrapInterval([4], options), {mean: 4, low: 4, high: 4});
});

test('any statistic of any items', t => {
  const items = [
    {a: 1, b: 2},
    {a: 2, b: 4},
  ];
  const ratio = bootstrap(
    items,
    some => some.reduce((s, {a}) => s + a, 0) / some.reduce((s, {b}) => s + b, 0),
    options,
  );
  t.deepEqual(ratio, {mean: 0.5, low: 0.5, high: 0.5});
});

test('no value has no interval', t => {
  t.throws(() => bootstrapInterval([], options), {instanceOf: ArgumentError});
});
