import test from 'ava';
import type {PictureRecord} from '../../lib/evaluation/picture-record.ts';
import {compareScores, summarizeScores} from '../../lib/evaluation/summarize.ts';

const options = {resamples: 100, seed: 0};

function record(adapter: string, sample: number, changes: Partial<PictureRecord> = {}): PictureRecord {
  const about = {task: 'style', prompt: '', instruction: '', seed: 0, scores: {}};
  return {id: `${adapter}${sample}`, settings: '', adapter, sample, ...about, ...changes};
}

test('means are over samples, each the mean of its pictures', t => {
  const clipI = (value: number) => ({scores: {clipI: value}});
  const [scores] = summarizeScores(
    [record('a', 1, clipI(0)), record('a', 1, clipI(1)), record('a', 2, clipI(1))],
    options,
  );
  t.is(scores!.metrics.clipI!.mean, 0.75);
  t.deepEqual([scores!.samples, scores!.pictures], [2, 3]);
});

test('scores with texts are there as cosines and with the weight of CLIPScore, which knows no negative ones', t => {
  const records = [
    record('a', 1, {scores: {clipP: 0.4, clipS: -0.2}}),
    record('a', 2, {scores: {clipP: 0.2, clipS: 0.2}}),
  ];
  const {metrics} = summarizeScores(records, options)[0]!;
  const near = (a: number | undefined, b: number) => Math.abs(a! - b) < 1e-12;
  t.true(near(metrics.clipP?.mean, 0.3) && near(metrics.clipPScore?.mean, 0.75));
  t.true(near(metrics.clipS?.mean, 0) && near(metrics.clipSScore?.mean, 0.25));
  t.is(metrics.clipT, undefined);
});

test('steps and tasks are apart; what was not measured is left out', t => {
  const records = [
    record('a', 1, {step: 5}),
    record('a', 1, {step: 9}),
    record('a', 2, {task: 'face'}),
    record('b', 1),
  ];
  const scores = summarizeScores(records, options);
  t.deepEqual(
    scores.map(({adapter, step, task}) => [adapter, step, task]),
    [
      ['a', 5, 'style'],
      ['a', 9, 'style'],
      ['a', undefined, 'face'],
      ['b', undefined, 'style'],
    ],
  );
  t.deepEqual(scores[0]!.metrics, {});
});

test('taken is a share of the factors asked about, and each factor is counted', t => {
  const truth = (taken: Record<string, boolean>) => ({truth: {taken, leaked: {}, followed: {}}});
  const records = [
    record('a', 1, truth({kind: true, color: false})),
    record('a', 2, truth({kind: true})),
    record('a', 3, truth({})),
  ];
  const {metrics, factors} = summarizeScores(records, options)[0]!;
  t.is(metrics.taken!.mean, 0.75);
  t.is(metrics.leaked, undefined);
  t.deepEqual(factors, {
    taken: {kind: {hits: 2, count: 2}, color: {hits: 0, count: 1}},
    leaked: {},
    followed: {},
  });
});

test('differences are of the same samples, at the last steps', t => {
  const clipI = (value: number, step?: number) => ({
    scores: {clipI: value},
    ...(step !== undefined && {step}),
  });
  const records = [
    record('base', 1, clipI(0.1)),
    record('base', 2, clipI(0.9)),
    record('run', 1, clipI(0.9, 10)),
    record('run', 1, clipI(0.3, 200)),
    record('run', 2, clipI(1.1, 200)),
    record('run', 3, clipI(-1, 200)),
  ];
  const differences = compareScores(records, 'base', options);
  t.is(differences.length, 1);
  const {adapter, reference, metrics} = differences[0]!;
  t.deepEqual([adapter, reference], ['run', 'base']);
  // 0.2 in both samples, however much they differ from each other.
  for (const value of Object.values(metrics.clipI!)) t.true(Math.abs(value - 0.2) < 1e-12);
});
