import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError} from '../../lib/errors.ts';
import type {GrayImage} from '../../lib/images/image.ts';
import {scribble} from '../../lib/images/scribble.ts';
import {edgeCases, grayOf} from '../_helpers/edge-fixtures.ts';

for (const {size, canny, scribble: expected} of edgeCases) {
  test(`${size.join('x')}: what OpenCV's blur and threshold make of edges`, async t => {
    t.deepEqual(await scribble(grayOf(size, canny[0]!.color)), grayOf(size, expected));
  });
}

test('a line of one pixel becomes one of eleven', async t => {
  const size = 40;
  const data = Uint8Array.from({length: size * size}, (_, pixel) => (pixel % size === 20 ? 255 : 0));
  const drawn = await scribble({width: size, height: size, channels: 1, data});
  const white = drawn.data.filter(value => value === 255).length;
  t.is(white, 11 * size);
});

const lines = fc
  .tuple(fc.integer({min: 1, max: 30}), fc.integer({min: 1, max: 30}))
  .chain(([width, height]) =>
    fc
      .array(fc.constantFrom(0, 255), {minLength: width * height, maxLength: width * height})
      .map((data): GrayImage => ({width, height, channels: 1, data: Uint8Array.from(data)})),
  );

testProp(
  'values are 0 and 255, and more lines never take any away',
  [lines, fc.nat()],
  async (t, edges, n) => {
    const drawn = await scribble(edges);
    t.true(drawn.data.every(value => value === 0 || value === 255));
    const fewer = edges.data.with(n % edges.data.length, 0);
    const without = await scribble({...edges, data: fewer});
    t.true(without.data.every((value, pixel) => value <= drawn.data[pixel]!));
  },
);

test('refused: a picture in colour', async t => {
  const image = {width: 2, height: 2, channels: 3, data: new Uint8Array(12)} as unknown as GrayImage;
  await t.throwsAsync(scribble(image), {
    instanceOf: ArgumentError,
    message: /^edges: expected a grey picture/,
  });
});
