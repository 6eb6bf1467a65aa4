import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {learningRateAt, learningRateSchedules} from '../../lib/training/learning-rate.ts';

const options = {learningRate: 2, warmupSteps: 10, totalSteps: 110};

test('constant is constant from the first step', t => {
  t.is(learningRateAt(0, {...options, schedule: 'constant'}), 2);
});

test('the others rise from 0, and fall to 0 where they fall', t => {
  const at = (schedule: 'linear' | 'cosine' | 'constant_with_warmup', steps: readonly number[]) =>
    steps.map(step => Number(learningRateAt(step, {...options, schedule}).toFixed(6)));
  t.deepEqual(at('constant_with_warmup', [0, 5, 10, 110]), [0, 1, 2, 2]);
  t.deepEqual(at('linear', [0, 5, 10, 35, 60, 110, 200]), [0, 1, 2, 1.5, 1, 0, 0]);
  t.deepEqual(at('cosine', [10, 35, 60, 110]), [2, 1.707107, 1, 0]);
});

testProp(
  'a rate is never below 0 nor above the given one',
  [fc.nat(300), fc.constantFrom(...learningRateSchedules), fc.nat(50), fc.integer({min: 1, max: 200})],
  (t, step, schedule, warmupSteps, totalSteps) => {
    const rate = learningRateAt(step, {learningRate: 3, schedule, warmupSteps, totalSteps});
    t.true(rate >= 0 && rate <= 3);
  },
);

test('refuses a step that is none', t => {
  t.throws(() => learningRateAt(-1, {...options, schedule: 'linear'}), {instanceOf: ArgumentError});
});
