import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import type {RgbImage} from '../../lib/images/image.ts';
import {labelledGrid} from '../../lib/images/labelled-grid.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

const picture = noiseImage(40, 30);

/** The part of `image` that has the size of `picture`. */
function cut(image: RgbImage, left: number, top: number): Uint8Array {
  const rows = Array.from({length: picture.height}, (_, y) => {
    const begin = ((top + y) * image.width + left) * 3;
    return image.data.subarray(begin, begin + picture.width * 3);
  });
  return new Uint8Array(Buffer.concat(rows));
}

test('three pictures stand in two rows, untouched, on white', async t => {
  const grid = await labelledGrid([picture, picture, picture], ['one', 'two', 'three']);
  t.like(grid, {width: 8 + 2 * (40 + 8), height: 8 + 2 * (30 + 28 + 8)});
  t.is(grid.data.length, grid.width * grid.height * 3);
  for (const [left, top] of [
    [8, 8],
    [56, 8],
    [8, 74],
  ] as const)
    t.deepEqual(cut(grid, left, top), picture.data);
  t.true(cut(grid, 56, 74).every(value => value === 255));
});

test('a smaller picture stands in the middle of its cell', async t => {
  const grid = await labelledGrid([picture, noiseImage(60, 50)], ['', ''], 1);
  t.like(grid, {width: 8 + 60 + 8, height: 8 + 2 * (50 + 28 + 8)});
  t.deepEqual(cut(grid, 8 + 10, 8 + 10), picture.data);
});

test('captions may hold anything', async t => {
  const label = '<script>&"\'\u0000\uD800\uFFFF</text> and a text far too long for its picture ☕';
  t.like(await labelledGrid([picture], [label]), {width: 56, height: 74});
});

test('no picture, labels that do not match and no columns are argument errors', async t => {
  await t.throwsAsync(labelledGrid([], []), {instanceOf: ArgumentError, message: /0 pictures/});
  await t.throwsAsync(labelledGrid([picture], ['a', 'b']), {instanceOf: ArgumentError, message: /2 labels/});
  await t.throwsAsync(labelledGrid([picture], ['a'], 0), {instanceOf: ArgumentError, message: /^columns/});
});

test('captions of several lines make room below all pictures', async t => {
  const grid = await labelledGrid([picture, picture, picture], ['one\nline more', 'two', 'three'], 2);
  t.like(grid, {width: 8 + 2 * (40 + 8), height: 8 + 2 * (30 + 2 * 28 + 8)});
  t.deepEqual(cut(grid, 8, 8 + 30 + 2 * 28 + 8), picture.data);
});
