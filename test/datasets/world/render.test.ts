import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {Choices} from '../../../lib/datasets/world/choices.ts';
import {drawFactors, drawPortrait, drawScene} from '../../../lib/datasets/world/draw-factors.ts';
import type {Factors} from '../../../lib/datasets/world/factors.ts';
import {objectKinds} from '../../../lib/datasets/world/objects.ts';
import {
  beards,
  eyeColors,
  faceShapes,
  glassesForms,
  hairColors,
  hairForms,
  noses,
  skinTones,
} from '../../../lib/datasets/world/portrait/person.ts';
import {renderPicture} from '../../../lib/datasets/world/render.ts';
import {styleNames, styleOf} from '../../../lib/datasets/world/styles.ts';
import type {RgbImage} from '../../../lib/images/image.ts';

/** Features of a person by their values: those that every style shows, and those that styles with colours show. */
const forms = {hair: hairForms, face: faceShapes, nose: noses, glasses: glassesForms, beard: beards};
const colors = {
  skin: Object.keys(skinTones),
  hairColor: Object.keys(hairColors),
  eyes: Object.keys(eyeColors),
};

const render = (factors: Factors) => renderPicture(factors, 64);

/** The mean over all pixels, from 0 to 255. */
function difference(one: RgbImage, other: RgbImage): number {
  return one.data.reduce((sum, value, i) => sum + Math.abs(value - other.data[i]!), 0) / one.data.length;
}

testProp(
  'equal factors give equal bytes, also by way of JSON',
  [fc.integer({min: 0, max: 2 ** 32 - 1})],
  async (t, seed) => {
    const factors = drawFactors(new Choices(seed));
    const [first, again] = [
      await renderPicture(factors, 64),
      await renderPicture(JSON.parse(JSON.stringify(factors)), 64),
    ];
    t.deepEqual([first.width, first.height, first.data.length], [64, 64, 64 * 64 * 3]);
    t.deepEqual(first.data, again.data);
  },
  {numRuns: 15},
);

for (const style of styleNames) {
  test(`${style}: kinds of objects, and forms of hair, do not look alike`, async t => {
    const choices = new Choices(1);
    const scene = drawScene(choices, {style: {name: style, palette: 0}});
    const layout = {...scene.layout, name: 'centre' as const};
    const scenes = objectKinds.map(kind => ({...scene, layout, object: {...scene.object, kind}}));
    eachPair(await Promise.all(scenes.map(render)), (a, b, i, j) =>
      t.true(difference(a, b) > 3, `${objectKinds[i]}, ${objectKinds[j]}`),
    );
    const portrait = drawPortrait(choices, {style: {name: style, palette: 0}});
    const portraits = hairForms.map(hair => ({...portrait, person: {...portrait.person, hair}}));
    eachPair(await Promise.all(portraits.map(render)), (a, b, i, j) =>
      t.true(difference(a, b) > 1, `${hairForms[i]}, ${hairForms[j]}`),
    );
  });
}

for (const style of styleNames) {
  test(`${style}: each feature of a person is to be seen`, async t => {
    const portrait = drawPortrait(new Choices(5), {style: {name: style, palette: 0}});
    for (const [feature, values] of Object.entries(
      styleOf(style).showsColor ? {...forms, ...colors} : forms,
    )) {
      const people = values.map(value => ({...portrait.person, [feature]: value}));
      const pictures = await Promise.all(people.map(person => render({...portrait, person} as Factors)));
      eachPair(pictures, (a, b, i, j) =>
        t.true(difference(a, b) > 0, `${feature}: ${values[i]}, ${values[j]}`),
      );
    }
  });
}

test('no two styles, and no two palettes of a style, look alike', async t => {
  const scene = drawScene(new Choices(2));
  const styles = styleNames.flatMap(name => [0, 1, 2].map(palette => ({name, palette})));
  eachPair(await Promise.all(styles.map(style => render({...scene, style}))), (a, b, i, j) =>
    t.true(difference(a, b) > 2, JSON.stringify([styles[i], styles[j]])),
  );
});

test('pixel art is made of square cells', async t => {
  const scene = drawScene(new Choices(3), {style: {name: 'pixelArt', palette: 0}});
  const {data} = await renderPicture(scene, 64);
  const pixel = (x: number, y: number) => data.slice(3 * (y * 64 + x), 3 * (y * 64 + x) + 3);
  for (let y = 0; y < 64; y += 2) {
    for (let x = 0; x < 64; x += 2) t.deepEqual(pixel(x, y), pixel(x + 1, y + 1));
  }
});

function eachPair<T>(values: readonly T[], check: (a: T, b: T, i: number, j: number) => void): void {
  for (const [i, a] of values.entries()) {
    for (const [j, b] of values.entries()) if (i < j) check(a, b, i, j);
  }
}
