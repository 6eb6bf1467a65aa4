import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawFactors, drawPortrait, drawScene} from '../../../lib/datasets/world/draw-factors.ts';
import {factorClassLabels, factorGroups} from '../../../lib/datasets/world/factor-groups.ts';
import {factorTargets, labelsOf} from '../../../lib/datasets/world/factor-labels.ts';
import {styleOf} from '../../../lib/datasets/world/styles.ts';

const seeds = fc.integer({min: 0, max: 2 ** 32 - 1});

test('groups lie side by side, and every class has a label of its own', t => {
  let end = 0;
  for (const {offset, classes, name} of factorGroups) {
    t.is(offset, end);
    t.is(factorClassLabels[offset], `${name}/${classes[0]}`);
    end += classes.length;
  }
  t.is(factorClassLabels.length, end);
  t.is(new Set(factorClassLabels).size, end);
});

testProp('targets have a 1 for each label, in its group', [seeds], (t, seed) => {
  const labels = labelsOf(drawFactors(new Choices(seed)));
  const chosen = factorClassLabels.filter((_, i) => factorTargets(labels)[i] === 1);
  t.deepEqual(
    chosen.toSorted(),
    Object.entries(labels)
      .map(([name, label]) => `${name}/${label}`)
      .toSorted(),
  );
  t.is(
    factorTargets(labels).reduce((a, b) => a + b),
    chosen.length,
  );
});

testProp(
  'a picture has labels of its own type’s groups, colours where its style shows them',
  [seeds],
  (t, seed) => {
    const factors = drawFactors(new Choices(seed));
    const labels = labelsOf(factors);
    const {showsColor} = styleOf(factors.style.name);
    for (const {name, pictureType} of factorGroups) {
      if ((pictureType ?? factors.type) !== factors.type) t.is(labels[name], undefined);
      else if (['objectColor', 'skin', 'eyes', 'shirt'].includes(name))
        t.is(labels[name] !== undefined, showsColor);
      else if (name !== 'hairColor') t.not(labels[name], undefined);
    }
  },
);

test('a scene and a portrait', t => {
  const flat = {name: 'flat', palette: 0} as const;
  const choices = new Choices(0);
  const scene = drawScene(choices, {
    style: flat,
    background: 'sea',
    object: {kind: 'cat', color: 'pink'},
  });
  t.deepEqual(labelsOf(scene), {
    type: 'scene',
    style: 'flat',
    background: 'sea',
    objectKind: 'cat',
    objectColor: 'pink',
    layout: scene.layout.name,
  });
  const bald = drawPortrait(choices, {style: flat});
  const withBeard = (beard: 'none' | 'full') =>
    labelsOf({...bald, person: {...bald.person, hair: 'bald', hairColor: 'red', beard}});
  t.is(withBeard('full').hairColor, 'red');
  t.is(withBeard('none').hairColor, undefined);
});
