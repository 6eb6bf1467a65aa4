import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {backgroundNames} from '../../../lib/datasets/world/backgrounds.ts';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawFactors} from '../../../lib/datasets/world/draw-factors.ts';
import {type Factors, factorsSchema} from '../../../lib/datasets/world/factors.ts';
import {layoutNames} from '../../../lib/datasets/world/layouts.ts';
import {objectColors, objectKinds} from '../../../lib/datasets/world/objects.ts';
import {
  beards,
  expressions,
  eyeColors,
  faceShapes,
  glassesForms,
  hairColors,
  hairForms,
  noses,
  skinTones,
} from '../../../lib/datasets/world/portrait/person.ts';
import {styleNames} from '../../../lib/datasets/world/styles.ts';

const seeds = fc.integer({min: 0, max: 2 ** 32 - 1});

testProp(
  'factors go through JSON, and are what their schema says',
  [seeds],
  (t, seed) => {
    const factors = drawFactors(new Choices(seed));
    t.deepEqual(factorsSchema.parse(JSON.parse(JSON.stringify(factors))), factors);
  },
  // Seeds of factors that are rounded to 0 from below.
  {numRuns: 500, examples: [[4294967282], [1256034638]]},
);

testProp('a seed gives the same factors each time', [seeds], (t, seed) => {
  t.deepEqual(drawFactors(new Choices(seed)), drawFactors(new Choices(seed)));
});

test('a palette that the style has not is refused', t => {
  const factors = drawFactors(new Choices(0));
  t.false(factorsSchema.safeParse({...factors, style: {...factors.style, palette: 3}}).success);
});

test('each value of each factor occurs', t => {
  const seen = new Map<string, Set<unknown>>();
  const see = (factor: string, value: unknown) =>
    seen.set(factor, (seen.get(factor) ?? new Set()).add(value));
  for (let seed = 0; seed < 3000; seed++) {
    const factors: Factors = drawFactors(new Choices(seed));
    see('background', factors.background);
    see('style', factors.style.name);
    see('palette', factors.style.palette);
    if (factors.type === 'scene') {
      see('kind', factors.object.kind);
      see('color', factors.object.color);
      see('layout', factors.layout.name);
    } else {
      see('expression', factors.expression);
      for (const [feature, value] of Object.entries(factors.person)) see(feature, value);
    }
  }
  const expected = {
    background: backgroundNames,
    style: styleNames,
    palette: [0, 1, 2],
    kind: objectKinds,
    color: objectColors,
    layout: layoutNames,
    expression: expressions,
    skin: Object.keys(skinTones),
    hair: hairForms,
    hairColor: Object.keys(hairColors),
    face: faceShapes,
    eyes: Object.keys(eyeColors),
    nose: noses,
    glasses: glassesForms,
    beard: beards,
  };
  for (const [factor, values] of Object.entries(expected)) {
    t.deepEqual([...(seen.get(factor) ?? [])].sort(), [...values].sort(), factor);
  }
});
