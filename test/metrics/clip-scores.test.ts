import {fc, testProp} from '@fast-check/ava';
import test from 'ava';
import {NumericError, ShapeError} from '../../lib/errors.ts';
import {clipImageSimilarity, clipScore, clipStyleScore} from '../../lib/metrics/clip-scores.ts';

const vector = (...values: number[]) => Float32Array.from(values);
const near = (a: number, b: number) => Math.abs(a - b) < 1e-12;

test('CLIP-I is a cosine, and CLIPScore 2.5 times one that is not negative', t => {
  t.is(clipImageSimilarity(vector(2, 0), vector(5, 0)), 1);
  t.true(near(clipImageSimilarity(vector(3, 4), vector(4, 3)), 24 / 25));
  t.is(clipImageSimilarity(vector(1, 0), vector(-3, 0)), -1);
  t.true(near(clipScore(vector(3, 4), vector(4, 3)), 2.5 * (24 / 25)));
  t.is(clipScore(vector(1, 0), vector(-3, 0)), 0);
});

test('CLIP-S compares what texts do not say', t => {
  const [prompt, caption] = [vector(1, 0, 0), vector(0, 1, 0)];
  // The difference of unit vectors: (-1, 0, 1) and (0, -1, 1), whose cosine is 1/2.
  const embeddings = {picture: vector(0, 0, 7), prompt, condition: vector(0, 0, 2), caption};
  t.true(near(clipStyleScore(embeddings), 2.5 / 2));
  // (-1, 1, 0) and (1, -1, 0).
  t.is(clipStyleScore({...embeddings, picture: vector(0, 1, 0), condition: vector(1, 0, 0)}), 0);
});

const embedding = fc.array(fc.double({min: -10, max: 10, noNaN: true}), {minLength: 4, maxLength: 4});

testProp(
  'scores do not depend on the embeddings’ lengths, and have their bounds',
  [embedding, embedding],
  (t, a, b) => {
    const [x, y] = [Float32Array.from(a), Float32Array.from(b)];
    fc.pre(Math.hypot(...x) > 1e-3 && Math.hypot(...y) > 1e-3);
    const similarity = clipImageSimilarity(x, y);
    t.true(Math.abs(similarity) <= 1 + 1e-12);
    t.true(near(clipImageSimilarity(y, x), similarity));
    t.true(
      near(
        clipImageSimilarity(
          x.map(value => 4 * value),
          y,
        ),
        similarity,
      ),
    );
    t.true(near(clipScore(x, y), 2.5 * Math.max(0, similarity)));
  },
);

test('embeddings of two models, or of nothing, are refused', t => {
  t.throws(() => clipScore(vector(1, 2), vector(1, 2, 3)), {instanceOf: ShapeError});
  t.throws(() => clipImageSimilarity(vector(0, 0), vector(1, 2)), {instanceOf: NumericError});
  t.throws(() => clipImageSimilarity(vector(1, Number.NaN), vector(1, 2)), {instanceOf: NumericError});
  const same = vector(1, 2);
  const embeddings = {picture: same, prompt: same, condition: vector(1, 0), caption: vector(0, 1)};
  t.throws(() => clipStyleScore(embeddings), {instanceOf: NumericError});
});
