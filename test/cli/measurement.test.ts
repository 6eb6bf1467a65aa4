import test from 'ava';
import {measure, passes, relativeError, worstOf} from '../../lib/cli/check-reference/measurement.ts';

test('errors are relative to the largest magnitude of the reference', t => {
  t.is(relativeError([1, 2, -4.5], [1, 2, -4]), 0.125);
  t.is(relativeError([0, 0], [0, 0]), 0);
  t.is(relativeError([], []), 0);
});

test('nothing that is not finite or not of the shape can pass', t => {
  t.is(relativeError([Number.NaN], [1]), Infinity);
  t.is(relativeError([1], [Number.NaN]), Infinity);
  t.is(relativeError([1, 2], [1]), Infinity);
  const [row, column] = [
    [1, 2],
    [2, 1],
  ].map(shape => ({shape, data: Float32Array.of(1, 2)}));
  t.false(passes(measure('x', row!, column!, 1)));
});

test('the worst measurement is the one nearest to its own tolerance, or beyond it', t => {
  const easy = {output: 'easy', error: 1e-4, tolerance: 1e-3};
  const tight = {output: 'tight', error: 9e-7, tolerance: 1e-6};
  const unequal = {output: 'ids', error: 1e-5, tolerance: 0};
  t.is(worstOf([easy, tight]), tight);
  t.is(worstOf([easy, tight, unequal]), unequal);
  t.is(worstOf([]), undefined);
});
