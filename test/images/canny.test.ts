import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import {type CannyOptions, cannyEdges} from '../../lib/images/canny.ts';
import type {RgbImage} from '../../lib/images/image.ts';
import {edgeCases, grayOf, repeatChannels} from '../_helpers/edge-fixtures.ts';
import {noiseImage, rgbOf} from '../_helpers/image-fixtures.ts';

for (const {size, rgb, luma, canny} of edgeCases) {
  test(`${size.join('x')}: OpenCV's edges of colour and of grey pictures`, async t => {
    for (const {color, gray, ...options} of canny) {
      const message = JSON.stringify(options);
      t.deepEqual(await cannyEdges(rgbOf(size, rgb), options), grayOf(size, color), message);
      const grayPicture = repeatChannels(grayOf(size, luma));
      t.deepEqual(await cannyEdges(grayPicture, options), grayOf(size, gray), message);
    }
  });
}

test('controlnet_aux’s thresholds are the default', async t => {
  const image = noiseImage(20, 14);
  const named = await cannyEdges(image, {lowThreshold: 100, highThreshold: 200, l2Gradient: false});
  t.deepEqual(await cannyEdges(image), named);
});

const pictures = fc
  .tuple(fc.integer({min: 1, max: 12}), fc.integer({min: 1, max: 12}))
  .chain(([width, height]) =>
    fc
      .uint8Array({minLength: width * height * 3, maxLength: width * height * 3})
      .map((data): RgbImage => ({width, height, data})),
  );
const threshold = fc.double({min: 0, max: 1500, noNaN: true});
const sorted = (values: readonly number[]) => values.toSorted((a, b) => a - b) as [number, number, number];

testProp(
  'a picture of one colour has no edges',
  [fc.nat(12), fc.nat(12), fc.uint8Array({minLength: 3, maxLength: 3}), fc.boolean()],
  async (t, width, height, color, l2Gradient) => {
    const size = {width: width + 1, height: height + 1};
    const data = Uint8Array.from({length: size.width * size.height * 3}, (_, i) => color[i % 3]!);
    const edges = await cannyEdges({...size, data}, {lowThreshold: 0, highThreshold: 0, l2Gradient});
    t.true(edges.data.every(value => value === 0));
  },
);

testProp(
  'edges are 0 or 255, and higher thresholds never add any',
  [pictures, threshold, threshold, threshold, fc.boolean()],
  async (t, image, a, b, c, l2Gradient) => {
    const [lowest, middle, highest] = sorted([a, b, c]);
    const edgesAt = async (lowThreshold: number, highThreshold: number) =>
      (await cannyEdges(image, {lowThreshold, highThreshold, l2Gradient})).data;
    const most = await edgesAt(lowest, middle);
    t.true(most.every(value => value === 0 || value === 255));
    const raisedHigh = await edgesAt(lowest, highest);
    t.true(raisedHigh.every((value, pixel) => value <= most[pixel]!));
    const raisedLow = await edgesAt(middle, highest);
    t.true(raisedLow.every((value, pixel) => value <= raisedHigh[pixel]!));
  },
);

testProp('a picture and its negative have the same edges', [pictures], async (t, image) => {
  const negative = {...image, data: image.data.map(value => 255 - value)};
  t.deepEqual(await cannyEdges(negative), await cannyEdges(image));
});

const refused: readonly [string, CannyOptions, RegExp][] = [
  ['a negative threshold', {lowThreshold: -1}, /^lowThreshold: expected a number of at least 0/],
  ['NaN', {highThreshold: Number.NaN}, /^highThreshold: expected a number of at least 0/],
  ['low above high', {lowThreshold: 7, highThreshold: 6}, /^lowThreshold: expected at most highThreshold/],
];
for (const [what, options, message] of refused) {
  test(`refused: ${what}`, async t => {
    await t.throwsAsync(cannyEdges(noiseImage(4, 4), options), {instanceOf: ArgumentError, message});
  });
}

test('refused: data of another size', async t => {
  const image = {width: 4, height: 4, data: new Uint8Array(16)};
  await t.throwsAsync(cannyEdges(image), {instanceOf: ArgumentError, message: /^image.data: expected/});
});
