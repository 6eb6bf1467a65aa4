import test from 'ava';
import {shareOf} from '../../../lib/evaluation/factors/outcomes.ts';
import {summarizeTruth} from '../../../lib/evaluation/factors/summarize-truth.ts';

test('a share is that of the factors asked about', t => {
  t.is(shareOf({}), undefined);
  t.is(shareOf({style: false}), 0);
  t.is(shareOf({style: true, layout: false, objectKind: true, type: true}), 0.75);
});

test('tasks that occur have means over pictures, and counts by factor', t => {
  const summary = summarizeTruth(
    [
      {task: 'style', outcomes: {taken: {style: true}, leaked: {}, followed: {}}},
      {
        task: 'style',
        outcomes: {taken: {style: false}, leaked: {type: true, objectKind: false}, followed: {}},
      },
      {task: 'style', outcomes: {taken: {style: true}, leaked: {objectKind: false}, followed: {}}},
    ],
    {resamples: 200, seed: 0},
  );
  t.deepEqual(Object.keys(summary), ['style']);
  const {taken, leaked, followed} = summary.style!;
  t.is(taken!.mean, 2 / 3);
  t.true(taken!.low <= taken!.mean && taken!.mean <= taken!.high);
  t.is(taken!.count, 3);
  t.deepEqual(taken!.factors, {style: {hits: 2, count: 3}});
  // A picture that is asked about two factors counts as much as one that is asked about one.
  t.is(leaked!.mean, 0.25);
  t.is(leaked!.count, 2);
  t.deepEqual(leaked!.factors, {type: {hits: 1, count: 1}, objectKind: {hits: 0, count: 2}});
  t.is(followed, undefined);
});

test('no pictures, no tasks', t => {
  t.deepEqual(summarizeTruth([], {resamples: 200, seed: 0}), {});
});
