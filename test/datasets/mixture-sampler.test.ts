import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import type {DatasetSample} from '../../lib/datasets/dataset-sample.ts';
import {MixtureSampler} from '../../lib/datasets/mixture-sampler.ts';
import {ArgumentError} from '../../lib/errors.ts';

const file = {file: '/none'};
const samplesOf = (counts: Readonly<Record<string, number>>): DatasetSample[] =>
  Object.entries(counts).flatMap(([task, count]) =>
    Array.from({length: count}, (_, i) => ({
      task,
      prompt: `${task} ${i}`,
      target: file,
      condition: file,
      place: '',
    })),
  );

test('every sample of a task comes once before any comes again, in another order each round', t => {
  const sampler = new MixtureSampler(samplesOf({style: 7}), {seed: 3});
  const round = () => Array.from({length: 7}, () => sampler.next().sample.prompt);
  const [first, second] = [round(), round()];
  t.is(new Set(first).size, 7);
  t.is(new Set(second).size, 7);
  t.notDeepEqual(first, second);
});

test('tasks come as often as their weights say, however many samples they have', t => {
  const sampler = new MixtureSampler(samplesOf({style: 2, face: 90, object: 5}), {
    seed: 1,
    weights: {style: 3, face: 1},
  });
  const draws = 4000;
  for (let i = 0; i < draws; i++) sampler.next();
  const {taken} = sampler.state;
  t.deepEqual(Object.keys(taken).sort(), ['face', 'style']);
  // Four standard deviations.
  t.true(Math.abs(taken['style']! / draws - 0.75) < 4 * Math.sqrt((0.75 * 0.25) / draws));
});

testProp(
  'a sampler goes on from a state as the one that it came from',
  [fc.nat(1000), fc.nat(40), fc.integer({min: 1, max: 6}), fc.integer({min: 1, max: 6})],
  (t, seed, before, styles, faces) => {
    const samples = samplesOf({style: styles, face: faces});
    const one = new MixtureSampler(samples, {seed});
    for (let i = 0; i < before; i++) one.next();
    const other = new MixtureSampler(samples, {seed}, structuredClone(one.state));
    for (let i = 0; i < 10; i++) {
      const [a, b] = [one.next(), other.next()];
      t.is(a.sample, b.sample);
      const again = other.again(a.draw);
      t.is(again.sample, a.sample);
      const numbers = a.generator.rand([3]);
      t.deepEqual(b.generator.rand([3]), numbers);
      t.deepEqual(again.generator.rand([3]), numbers);
    }
    t.deepEqual(one.state, other.state);
  },
);

test('a draw’s own numbers differ from draw to draw', t => {
  const sampler = new MixtureSampler(samplesOf({style: 3}), {seed: 0});
  const numbers = Array.from({length: 50}, () => sampler.next().generator.rand([1])[0]);
  t.is(new Set(numbers).size, 50);
});

test('refuses weights of tasks without samples, and weights that are none', t => {
  const samples = samplesOf({style: 1});
  for (const weights of [{face: 1}, {style: 0}, {style: Number.NaN}]) {
    t.throws(() => new MixtureSampler(samples, {seed: 0, weights}), {instanceOf: ArgumentError});
  }
});
