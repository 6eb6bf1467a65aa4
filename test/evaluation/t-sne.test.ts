import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {conditionalProbabilities, type Point, tsne} from '../../lib/evaluation/t-sne.ts';
import {TorchGenerator} from '../../lib/schedulers/torch-generator.ts';

/** Points around three corners in ten dimensions, in turn. */
function clusters(count: number): Float32Array[] {
  const generator = new TorchGenerator(2);
  return Array.from({length: count}, (_, i) => {
    const noise = generator.randn([10]);
    noise[i % 3] = noise[i % 3]! + 12;
    return noise;
  });
}

const distance = (a: Point, b: Point) => Math.hypot(a[0] - b[0], a[1] - b[1]);

testProp(
  'the perplexity of the neighbours is the one asked for',
  [
    fc.array(fc.double({min: 0, max: 100, noNaN: true}), {minLength: 8, maxLength: 40}),
    fc.double({min: 2, max: 5, noNaN: true}),
  ],
  (t, drawn, perplexity) => {
    // Distinct, so that each number of neighbours can be had.
    const squares = Float64Array.from(drawn, (square, i) => square + i / 10);
    const row = conditionalProbabilities(squares, 3, perplexity);
    t.is(row[3], 0);
    t.true(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-9);
    const entropy = row.reduce((bits, p) => (p > 0 ? bits - p * Math.log2(p) : bits), 0);
    t.true(Math.abs(2 ** entropy - perplexity) < 1e-4, `${2 ** entropy}`);
  },
);

test('nearer points have larger probabilities, and equally near ones equal', t => {
  const row = conditionalProbabilities(Float64Array.of(0, 1, 2, 2, 9), 0, 2.5);
  t.true(row[1]! > row[2]! && row[2]! > row[4]!);
  t.is(row[2], row[3]);
  const even = conditionalProbabilities(Float64Array.of(0, 4, 4, 4), 0, 2);
  t.true([...even.slice(1)].every(p => Math.abs(p - 1 / 3) < 1e-12));
});

test('clusters that are apart stay apart, and their neighbours are their own', async t => {
  const points = await tsne(clusters(60), {perplexity: 10, seed: 4});
  for (const [i, point] of points.entries()) {
    const others = points.map((other, j) => (i === j ? Number.POSITIVE_INFINITY : distance(point, other)));
    t.is(others.indexOf(Math.min(...others)) % 3, i % 3);
  }
  const [centreX, centreY] = [0, 1].map(axis => points.reduce((sum, point) => sum + point[axis]!, 0));
  t.true(Math.abs(centreX!) < 1e-6 && Math.abs(centreY!) < 1e-6);
});

test('a seed gives a map', async t => {
  const options = {perplexity: 5, seed: 4, iterations: 50};
  const first = await tsne(clusters(20), options);
  t.deepEqual(await tsne(clusters(20), options), first);
  t.notDeepEqual(await tsne(clusters(20), {...options, seed: 5}), first);
});

test('a perplexity that the points do not allow is refused; an abort ends it', async t => {
  for (const perplexity of [1, 19, Number.NaN]) {
    await t.throwsAsync(tsne(clusters(20), {perplexity, seed: 0}), {instanceOf: ArgumentError});
  }
  const signal = AbortSignal.abort(new Error('enough'));
  await t.throwsAsync(tsne(clusters(20), {perplexity: 5, seed: 0, signal}), {message: 'enough'});
});
