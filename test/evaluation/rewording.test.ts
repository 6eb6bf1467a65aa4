import test from 'ava';
import {rewordingDistances, rewordingRatio} from '../../lib/evaluation/rewording.ts';

const vector = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));
const near = (a: number, b: number) => Math.abs(a - b) < 1e-6;

test('distances are of pairs that differ in one thing alone', t => {
  // Wordings turn by 10 degrees, seeds by 60.
  const pictures = [0, 10, 20].map(word => [0, 60].map(noise => vector(word + noise)));
  const {wording, noise} = rewordingDistances(pictures);
  const apart = (degrees: number) => 1 - Math.cos((degrees * Math.PI) / 180);
  t.true(near(wording, (2 * apart(10) + apart(20)) / 3));
  t.true(near(noise, apart(60)));
});

test('the ratio is of the means, with an interval over conditions', t => {
  const options = {resamples: 500, seed: 0};
  const ratio = rewordingRatio(
    [
      {wording: 1, noise: 10},
      {wording: 3, noise: 10},
    ],
    options,
  );
  t.deepEqual([ratio.mean, ratio.low, ratio.high], [0.2, 0.1, 0.3]);
  const same = [0, 1].map(() => [vector(0), vector(90)]);
  t.true(near(rewordingRatio([rewordingDistances(same)], options).mean, 0));
});
