import test from 'ava';
import fc from 'fast-check';
import {
  combineBranches,
  guidanceBranches,
  resolveAdapterScale,
  resolveGuidanceMode,
} from '../../lib/pipelines/guidance.ts';

const scale = fc.double({min: -20, max: 20, noNaN: true});
const value = fc.float({min: -8, max: 8, noNaN: true});

test('auto guidance is simple for style, colour, everything and face, as released', t => {
  for (const instruction of [
    'use the style',
    'use the colour',
    'its color',
    'Everything',
    'facial features',
  ]) {
    t.is(resolveGuidanceMode('auto', instruction), 'simple');
  }
  for (const instruction of ['use the composition', 'use the object', 'use the pose', '']) {
    t.is(resolveGuidanceMode('auto', instruction), 'three-way');
  }
  t.is(resolveGuidanceMode('three-way', 'use the style'), 'three-way');
});

test('composition and pose take 0.2 off the adapter’s scale', t => {
  t.is(resolveAdapterScale(0.8, 'use the composition'), 0.8 - 0.2);
  t.is(resolveAdapterScale(0.8, 'the pose, please'), 0.8 - 0.2);
  t.is(resolveAdapterScale(0.8, 'use the style'), 0.8);
  t.is(resolveAdapterScale(0.8, undefined), 0.8);
});

test('the released defaults need two predictions, I=2, G=5, M=1 three', t => {
  const kinds = (i: number, g: number, m: number) =>
    guidanceBranches('three-way', {
      guidanceScale: g,
      instructGuidanceScale: i,
      imageGuidanceScale: m,
    }).map(branch => branch.kind);
  t.deepEqual(kinds(6, 6, 1), ['full', 'image-only']);
  t.deepEqual(kinds(2, 5, 1), ['full', 'everything', 'image-only']);
  t.deepEqual(kinds(2, 5, 3), ['full', 'everything', 'image-only', 'unconditional']);
});

test('guidance of 1 needs one prediction', t => {
  const scales = {guidanceScale: 1, instructGuidanceScale: 6, imageGuidanceScale: 1};
  t.deepEqual(guidanceBranches('simple', scales), [{kind: 'full', coefficient: 1}]);
});

test('three-way guidance equals the released formula', t => {
  fc.assert(
    fc.property(scale, scale, scale, fc.tuple(value, value, value, value), (i, g, m, outputs) => {
      const [full, everything, imageOnly, unconditional] = outputs;
      const expected =
        unconditional +
        i * (full - everything) +
        g * (everything - imageOnly) +
        m * (imageOnly - unconditional);
      const branches = guidanceBranches('three-way', {
        guidanceScale: g,
        instructGuidanceScale: i,
        imageGuidanceScale: m,
      });
      const byKind = {full, everything, 'image-only': imageOnly, unconditional};
      const predictions = branches.map(({kind}) => Float32Array.of(byKind[kind]));
      const [combined] = combineBranches(branches, predictions);
      t.true(Math.abs(combined! - expected) <= 1e-4 * Math.max(1, Math.abs(i), Math.abs(g), Math.abs(m)) * 8);
    }),
  );
});

test('rescaling at 1 gives the standard deviation of the full prediction', t => {
  const full = Float32Array.of(1, -1, 2, 0.5);
  const other = Float32Array.of(0.3, 0.1, -0.7, 0.2);
  const branches = guidanceBranches(
    'simple',
    {guidanceScale: 7.5, instructGuidanceScale: 6, imageGuidanceScale: 1},
    {keepFull: true},
  );
  const std = (values: Float32Array) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1));
  };
  t.true(Math.abs(std(combineBranches(branches, [full, other], 1)) - std(full)) < 1e-6);
});
