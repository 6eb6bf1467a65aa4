import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import test from 'ava';
import sharp from 'sharp';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {decodeImage, type ImageInput} from '../../lib/images/decode-image.ts';
import {noiseImage} from '../_helpers/image-fixtures.ts';

const folder = await mkdtemp(join(tmpdir(), 'decode-image-'));
test.after.always(() => rm(folder, {recursive: true}));

/** 8 x 6, one colour. */
const plain = sharp({create: {width: 8, height: 6, channels: 3, background: {r: 200, g: 100, b: 50}}});
const noise = noiseImage(64, 48);
const noisy = sharp(noise.data, {raw: {width: 64, height: 48, channels: 3}});
const firstPixel = async (input: ImageInput, background?: string) => [
  ...(await decodeImage(input, background === undefined ? {} : {background})).data.subarray(0, 3),
];

test('a path, bytes and raw samples give the same picture', async t => {
  const path = join(folder, 'noise.png');
  await noisy.clone().toFile(path);
  const expected = {...noise, frames: 1};
  for (const input of [path, await noisy.clone().png().toBuffer(), {...noise, channels: 3 as const}]) {
    const {data, ...rest} = await decodeImage(input);
    t.deepEqual({...rest, data: new Uint8Array(data)}, expected);
  }
});

test('a picture of one pixel', async t => {
  const png = await plain.clone().resize(1, 1).png().toBuffer();
  t.like(await decodeImage(png), {width: 1, height: 1, frames: 1});
  t.deepEqual(await firstPixel(png), [200, 100, 50]);
});

test('grey, 16 bits and a palette become 8-bit RGB', async t => {
  const grey = {width: 2, height: 1, channels: 1, data: Uint8Array.of(7, 250)} as const;
  t.deepEqual([...(await decodeImage(grey)).data], [7, 7, 7, 250, 250, 250]);
  t.deepEqual(await firstPixel(await plain.clone().toColourspace('rgb16').png().toBuffer()), [200, 100, 50]);
  t.deepEqual(await firstPixel(await plain.clone().png({palette: true}).toBuffer()), [200, 100, 50]);
  const grey16 = await plain.clone().toColourspace('grey16').png().toBuffer();
  const [red, green, blue] = await firstPixel(grey16);
  t.true(red === green && green === blue);
});

test('CMYK becomes sRGB', async t => {
  const jpeg = await plain.clone().toColourspace('cmyk').jpeg({quality: 100}).toBuffer();
  t.is((await sharp(jpeg).metadata()).space, 'cmyk');
  const difference = (await firstPixel(jpeg)).map((value, i) => Math.abs(value - [200, 100, 50][i]!));
  // The colour table for CMYK does not reach every colour; taken for RGB, the difference would be over 100.
  t.true(Math.max(...difference) < 32);
});

test('alpha is composited on the background, white unless chosen', async t => {
  const rgba = {width: 1, height: 1, channels: 4, data: Uint8Array.of(0, 100, 200, 51)} as const;
  t.deepEqual(await firstPixel(rgba), [204, 224, 244]);
  t.deepEqual(await firstPixel(rgba, 'black'), [0, 20, 40]);
  const greyAlpha = {width: 1, height: 1, channels: 2, data: Uint8Array.of(90, 0)} as const;
  t.deepEqual(await firstPixel(greyAlpha, '#102030'), [16, 32, 48]);
});

test('EXIF orientation is applied', async t => {
  const jpeg = await plain.clone().withMetadata({orientation: 6}).jpeg().toBuffer();
  t.like(await decodeImage(jpeg), {width: 6, height: 8});
});

test('colour profiles of RGB pictures are ignored, as the references do', async t => {
  const wide = await plain.clone().withIccProfile('p3').png().toBuffer();
  const stored = await sharp(wide, {ignoreIcc: true}).raw().toBuffer();
  t.notDeepEqual([...stored.subarray(0, 3)], [200, 100, 50]);
  t.deepEqual(await firstPixel(wide), [...stored.subarray(0, 3)]);
});

test('of an animation the first frame is decoded, and the frames are counted', async t => {
  const frames = Buffer.concat([Buffer.alloc(48, 250), Buffer.alloc(48, 5)]);
  const raw = {width: 4, height: 8, channels: 3, pageHeight: 4} as const;
  for (const format of ['gif', 'webp'] as const) {
    const bytes = await sharp(frames, {raw}).toFormat(format, {lossless: true}).toBuffer();
    const image = await decodeImage(bytes);
    t.like(image, {width: 4, height: 4, frames: 2});
    t.true(image.data.every(value => value > 240));
  }
});

function svg(content: string, size = 8): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}">${content}</svg>`,
  );
}

test('SVG is drawn, but what it refers to outside is not loaded', async t => {
  t.deepEqual(await firstPixel(svg('<rect width="8" height="8" fill="#f00"/>')), [255, 0, 0]);
  const path = join(folder, 'outside.png');
  await plain.clone().resize(8, 8).toFile(path);
  const drawing = join(folder, 'drawing.svg');
  for (const href of [path, pathToFileURL(path).href, 'outside.png']) {
    await writeFile(drawing, svg(`<image href="${href}" width="8" height="8"/>`));
    t.deepEqual(await firstPixel(drawing), [255, 255, 255]);
  }
  const inline = `data:image/png;base64,${(await plain.clone().resize(8, 8).png().toBuffer()).toString('base64')}`;
  t.deepEqual(await firstPixel(svg(`<image href="${inline}" width="8" height="8"/>`)), [200, 100, 50]);
});

test('files that are no whole picture are file errors that name them', async t => {
  const refuses = (input: ImageInput, message: RegExp) =>
    t.throwsAsync(decodeImage(input, {name: 'condition image'}), {instanceOf: FileError, message});
  await refuses(join(folder, 'missing.png'), /^condition image '.*missing\.png'.*ENOENT.*Check the path/);
  await mkdir(join(folder, 'sub'));
  await refuses(join(folder, 'sub'), /it is a folder/);
  await refuses('\0', /null bytes/);
  await refuses(new Uint8Array(0), /^condition image \(0 bytes\).*empty/);
  await refuses(Buffer.from('no picture at all'), /17 bytes.*unsupported image format/);
  for (const format of ['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const) {
    const bytes = await noisy.clone().toFormat(format).toBuffer();
    await refuses(bytes.subarray(0, bytes.length / 2), /decoding failed/);
  }
  await refuses(svg('<rect width="8"'), /decoding failed/);
});

test('pictures too large are refused before they are decoded', async t => {
  const refuses = (input: ImageInput, message: RegExp) =>
    t.throwsAsync(decodeImage(input), {instanceOf: FileError, message});
  await refuses(svg('', 30_000), /pixel limit/);
  const line = sharp({create: {width: 65_536, height: 1, channels: 3, background: 'red'}});
  await refuses(await line.png().toBuffer(), /65536x1.*at most 65535/);
  await t.throwsAsync(decodeImage(svg('', 30), {maxPixels: 899}), {
    instanceOf: FileError,
    message: /at most 0\.000899 million pixels/,
  });
  await t.notThrowsAsync(decodeImage(svg('', 30), {maxPixels: 900}));
});

test('input of another kind is an argument error', async t => {
  const refuses = (input: unknown, message: RegExp) =>
    t.throwsAsync(decodeImage(input as ImageInput), {instanceOf: ArgumentError, message});
  await refuses(undefined, /^image: expected a path.*undefined/);
  await refuses(null, /null/);
  await refuses({}, /type Object/);
  const raw = {width: 2, height: 2, channels: 3, data: new Uint8Array(12)};
  await refuses({...raw, data: new Uint8Array(11)}, /12 bytes but received 11/);
  await refuses({...raw, data: new Float32Array(12)}, /image\.data: expected a Uint8Array/);
  await refuses({...raw, width: 0}, /image\.width/);
  await refuses({...raw, height: 1.5}, /image\.height/);
  await refuses({...raw, channels: 5}, /image\.channels/);
  await t.throwsAsync(decodeImage({...raw, channels: 3}, {background: 'nowhere'}), {message: /^background/});
});
