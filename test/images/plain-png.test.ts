import test from 'ava';
import sharp from 'sharp';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {decodePlainPng} from '../../lib/images/plain-png.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

const [width, height] = [37, 23];
/** Smooth and noisy, so that encoders choose all filters. */
const data = noiseImage(width, height).data.map((value, i) => (i % 2 === 0 ? value >> 5 : i >> 3));
const raw = sharp(data, {raw: {width, height, channels: 3}});
const png = await raw.clone().png({adaptiveFiltering: true}).toBuffer();

test('pictures are those of sharp, with each set of filters', async t => {
  for (const adaptiveFiltering of [false, true]) {
    for (const source of [raw, raw.clone().blur(2)]) {
      const bytes = await source.clone().png({adaptiveFiltering, compressionLevel: 9}).toBuffer();
      const expected = await sharp(bytes).raw().toBuffer();
      const plain = decodePlainPng(bytes);
      t.deepEqual([plain?.width, plain?.height], [width, height]);
      t.deepEqual(Buffer.from(plain!.data), expected);
    }
  }
});

test('bytes that begin within a buffer are read from there', t => {
  const padded = new Uint8Array(png.length + 5);
  padded.set(png, 5);
  t.deepEqual(decodePlainPng(padded.subarray(5)), decodePlainPng(png));
});

test('what is not plain is left to sharp: other formats, other samples, large pictures, what tells of colours', async t => {
  const others = {
    jpeg: raw.clone().jpeg(),
    alpha: raw.clone().ensureAlpha().png(),
    grey: raw.clone().toColourspace('b-w').png(),
    palette: raw.clone().png({palette: true}),
    deep: raw.clone().toColourspace('rgb16').png(),
    interlaced: raw.clone().png({progressive: true}),
    large: raw.clone().resize(300, 300).png(),
    profile: raw.clone().withIccProfile('p3').png(),
    orientation: raw.clone().withMetadata({orientation: 6}).png(),
  };
  for (const [name, other] of Object.entries(others)) {
    t.true(decodePlainPng(await other.toBuffer()) === undefined, name);
  }
});

test('a damaged file is left to sharp, wherever the damage is', async t => {
  for (let at = 0; at < png.length; at += 1 + (at >> 4)) {
    const damaged = Buffer.from(png);
    damaged[at]! ^= 0x41;
    t.true(decodePlainPng(damaged) === undefined, `byte ${at}`);
  }
  for (let length = 0; length < png.length; length += 7) {
    t.true(decodePlainPng(png.subarray(0, length)) === undefined, `${length} bytes`);
  }
});

test('a picture with more pixels than are allowed is refused all the same', async t => {
  await t.throwsAsync(decodeImage(png, {maxPixels: width * height - 1}), {message: /pixel/});
  t.like(await decodeImage(png, {maxPixels: width * height}), {width, height, frames: 1});
});
