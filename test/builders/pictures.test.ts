import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {fillOutside} from '../../lib/builders/fill-outside.ts';
import {centerSquare, cropPadded, loadPicture, padToSquare, shrinkTo} from '../../lib/builders/pictures.ts';
import {FileError} from '../../lib/errors.ts';
import type {RgbImage} from '../../lib/images/image.ts';
import {jpeg} from '../_helpers/source-trees.ts';

const red = [200, 10, 20] as const;

/** Pixels that say where they are. */
function numbered(width: number, height: number): RgbImage {
  const data = Uint8Array.from({length: width * height * 3}, (_, i) => Math.floor(i / 3) % 251);
  return {width, height, data};
}

function pixel({width, data}: RgbImage, x: number, y: number): number[] {
  return [...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
}

testProp(
  'a crop has the pixels of its box, and the colour outside of the picture',
  [
    fc.integer({min: 1, max: 9}),
    fc.integer({min: 1, max: 9}),
    fc.integer({min: -9, max: 9}),
    fc.integer({min: -9, max: 9}),
  ],
  (t, width, height, left, top) => {
    const image = numbered(7, 5);
    const cut = cropPadded(image, {left, top, width, height}, red);
    t.deepEqual([cut.width, cut.height], [width, height]);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [fromX, fromY] = [x + left, y + top];
        const isInside = fromX >= 0 && fromX < 7 && fromY >= 0 && fromY < 5;
        t.deepEqual(pixel(cut, x, y), isInside ? pixel(image, fromX, fromY) : [...red]);
      }
    }
  },
);

test('padding keeps the picture in the middle', t => {
  const image = numbered(5, 2);
  const square = padToSquare(image, red);
  t.deepEqual([square.width, square.height], [5, 5]);
  t.deepEqual(pixel(square, 0, 0), [...red]);
  t.deepEqual(pixel(square, 3, 1), pixel(image, 3, 0));
  t.deepEqual(pixel(square, 4, 4), [...red]);
});

test('pictures are shrunk, and never enlarged', async t => {
  const image = numbered(90, 70);
  t.is(await shrinkTo(image, 100), image);
  const small = await shrinkTo(image, 35);
  t.deepEqual([small.width, small.height, small.data.length], [45, 35, 45 * 35 * 3]);
  const square = await centerSquare(image, 64);
  t.deepEqual([square.width, square.height], [64, 64]);
});

test('what lies outside of an outline is filled', async t => {
  const image = numbered(8, 8);
  const cut = await fillOutside(
    image,
    [
      [2, 2, 6, 2, 6, 6, 2, 6],
      [0, 0, 1, 0, 1, 1, 0, 1],
    ],
    red,
  );
  for (const [x, y] of [
    [2, 2],
    [5, 5],
    [0, 0],
  ] as const)
    t.deepEqual(pixel(cut, x, y), pixel(image, x, y));
  for (const [x, y] of [
    [6, 5],
    [1, 1],
    [7, 7],
  ] as const)
    t.deepEqual(pixel(cut, x, y), [...red]);
});

test('a small or damaged picture is left out; any other failure ends the build', async t => {
  const load = (bytes: () => Promise<Uint8Array>) =>
    loadPicture({name: 'x.jpg', load: async () => ({bytes: await bytes()})});
  t.deepEqual(await load(() => jpeg(numbered(80, 63))), {leftOut: 'too small', detail: 'x.jpg is 80x63'});
  t.like(await load(async () => Buffer.from('nothing')), {leftOut: 'not readable'});
  t.like(await load(() => Promise.reject(new FileError('gone'))), {leftOut: 'not readable', detail: 'gone'});
  await t.throwsAsync(
    load(() => Promise.reject(new RangeError('bug'))),
    {instanceOf: RangeError},
  );
  t.like(await load(() => jpeg(numbered(64, 64))), {credit: {name: 'x.jpg'}});
});
