import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawFactors} from '../../../lib/datasets/world/draw-factors.ts';
import {type FactorName, factorClassLabels} from '../../../lib/datasets/world/factor-groups.ts';
import {factorTargets, labelsOf} from '../../../lib/datasets/world/factor-labels.ts';
import {NumericError, ShapeError} from '../../../lib/errors.ts';
import {readFactors, shows} from '../../../lib/evaluation/factors/read-factors.ts';
import {readOf} from '../../_helpers/read-factors.ts';

const seeds = fc.array(fc.integer({min: 0, max: 2 ** 32 - 1}), {minLength: 1, maxLength: 4});

testProp('reads the largest logit of each group, row by row', [seeds], (t, drawn) => {
  const labels = drawn.map(seed => labelsOf(drawFactors(new Choices(seed))));
  const logits = Float32Array.from(labels.flatMap(of => [...factorTargets(of)].map(x => 300 * x - 1000)));
  const read = readFactors(logits);
  t.is(read.length, drawn.length);
  for (const [row, of] of labels.entries()) {
    for (const [name, label] of Object.entries(of)) {
      t.deepEqual(read[row]![name as FactorName], {label, probability: 1});
    }
  }
});

test('a probability is a softmax over the group', t => {
  const logits = new Float32Array(factorClassLabels.length);
  logits[factorClassLabels.indexOf('nose/long')] = Math.log(2);
  const [read] = readFactors(logits);
  t.is(read!.nose.label, 'long');
  t.true(Math.abs(read!.nose.probability - 2 / 4) < 1e-6);
  t.true(Math.abs(read!.style.probability - 1 / 12) < 1e-6);
});

test('refuses rows of another length, and what is not finite', t => {
  t.throws(() => readFactors(new Float32Array(factorClassLabels.length + 1)), {instanceOf: ShapeError});
  t.throws(() => readFactors(new Float32Array(factorClassLabels.length).fill(Number.NaN)), {
    instanceOf: NumericError,
  });
});

test('a portrait shows no kind of object, and what all pictures have it shows', t => {
  const read = {
    ...readOf({type: 'portrait', style: 'neon', hair: 'bun'}),
    objectKind: {label: 'cat', probability: 1},
  };
  t.false(shows(read, 'objectKind', 'cat'));
  t.true(shows(read, 'hair', 'bun'));
  t.true(shows(read, 'style', 'neon'));
  t.false(shows(read, 'style', 'comic'));
});
