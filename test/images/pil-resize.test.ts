import test from 'ava';
import {resizeLikePil} from '../../lib/images/pil-resize.ts';
import {bytesOf, noiseImage, readImageFixture, rgbOf} from '../_helpers/image-fixtures.ts';

interface ResizeCase {
  source: [number, number];
  target: [number, number];
  input: string;
  bicubic: string;
  lanczos: string;
}

const {cases} = readImageFixture<{cases: ResizeCase[]}>('pil-resize.json');

for (const {source, target, input, ...expected} of cases) {
  for (const filter of ['bicubic', 'lanczos'] as const) {
    test(`${filter} from ${source.join('x')} to ${target.join('x')} gives Pillow's bytes`, async t => {
      const [width, height] = target;
      const resized = await resizeLikePil(rgbOf(source, input), {width, height}, filter);
      t.deepEqual({...resized}, {width, height, data: bytesOf(expected[filter])});
    });
  }
}

test('a region equals the same crop of the whole', async t => {
  const image = noiseImage(31, 23);
  const size = {width: 17, height: 40};
  const whole = await resizeLikePil(image, size, 'lanczos');
  const region = {left: 5, top: 11, width: 9, height: 20};
  const part = await resizeLikePil(image, size, 'lanczos', region);
  const rows = Array.from({length: region.height}, (_, y) => {
    const begin = ((region.top + y) * whole.width + region.left) * 3;
    return Buffer.from(whole.data.subarray(begin, begin + region.width * 3));
  });
  t.deepEqual(Buffer.from(part.data), Buffer.concat(rows));
});

test('the same size gives the same bytes', async t => {
  const image = noiseImage(12, 7);
  t.deepEqual({...(await resizeLikePil(image, {width: 12, height: 7}, 'bicubic'))}, {...image});
});

test('one colour stays that colour', async t => {
  const image = {width: 9, height: 14, data: new Uint8Array(9 * 14 * 3).fill(137)};
  for (const filter of ['bicubic', 'lanczos'] as const) {
    const {data} = await resizeLikePil(image, {width: 20, height: 5}, filter);
    t.true(data.every(value => value === 137));
  }
});

test('a region of a picture too large for memory is computed alone', async t => {
  const line = noiseImage(1, 60_000);
  const height = 224 * 60_000;
  const region = {left: 0, top: (height - 224) / 2, width: 224, height: 224};
  const part = await resizeLikePil(line, {width: 224, height}, 'bicubic', region);
  t.is(part.data.length, 224 * 224 * 3);
});
