import {testProp} from '@fast-check/ava';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError, NumericError, ShapeError} from '../../lib/errors.ts';
import {
  checkLatentSize,
  conditionToTensor,
  coverToTensor,
  imageToTensor,
  maskToLatentSize,
  maskToTensor,
} from '../../lib/images/latent-image.ts';
import {tensorToImage} from '../../lib/images/tensor-to-image.ts';
import {bytesOf, floatsOf, noiseImage, readImageFixture, rgbOf} from '../_helpers/image-fixtures.ts';

interface LatentFixture {
  source: [number, number];
  target: [number, number];
  input: string;
  image: string;
  condition: string;
  mask: string;
  latentMask: string;
  decoded: {width: number; height: number; input: string; output: string};
}

const {latents: fixture} = readImageFixture<{latents: LatentFixture}>('preprocess.json');
const image = rgbOf(fixture.source, fixture.input);
const [width, height] = fixture.target;

test('the VAE’s input is that of diffusers', async t => {
  t.deepEqual(await imageToTensor(image, width, height), floatsOf(fixture.image));
});

test('a picture that covers a size is resized in its proportions, and its centre cut out', async t => {
  const picture = noiseImage(24, 40);
  t.deepEqual(
    await coverToTensor(picture, 48, 40),
    cropRows(await imageToTensor(picture, 48, 80), {width: 48, height: 80, top: 20, rows: 40}),
  );
  await t.throwsAsync(coverToTensor(picture, 48, 44), {instanceOf: ArgumentError});
});

/** Rows of each of three planes. */
function cropRows(
  planes: Float32Array,
  {width, height, top, rows}: {width: number; height: number; top: number; rows: number},
): Float32Array {
  const parts = [0, 1, 2].map(channel => {
    const begin = (channel * height + top) * width;
    return [...planes.subarray(begin, begin + rows * width)];
  });
  return Float32Array.from(parts.flat());
}

testProp(
  'any picture covers any size',
  [
    fc.integer({min: 1, max: 90}),
    fc.integer({min: 1, max: 90}),
    fc.integer({min: 1, max: 9}),
    fc.integer({min: 1, max: 9}),
  ],
  async (t, w, h, columns, rows) => {
    const values = await coverToTensor(noiseImage(w, h), 8 * columns, 8 * rows);
    t.is(values.length, 3 * 64 * columns * rows);
    t.true(values.every(value => value >= -1 && value <= 1));
  },
);

test('the ControlNet’s condition is that of diffusers', async t => {
  t.deepEqual(await conditionToTensor(image, width, height), floatsOf(fixture.condition));
});

test('the mask is that of diffusers, in pixels and at the size of the latents', async t => {
  const mask = await maskToTensor(image, width, height);
  t.deepEqual(mask, floatsOf(fixture.mask));
  t.deepEqual(maskToLatentSize(mask, width, height, 8), floatsOf(fixture.latentMask));
  // Of each square of four the upper left pixel.
  const finer = maskToLatentSize(mask, width, height, 4);
  t.is(finer.length, (width / 4) * (height / 4));
  t.is(finer[1], mask[4]);
  t.is(finer[width / 4], mask[4 * width]);
});

test('the decoded tensor gives the bytes of diffusers', t => {
  const {decoded} = fixture;
  const {data} = tensorToImage(floatsOf(decoded.input), decoded.width, decoded.height);
  t.deepEqual(data, bytesOf(decoded.output));
});

test('a picture survives the way to a tensor and back', async t => {
  const picture = noiseImage(16, 8);
  const restored = tensorToImage(await imageToTensor(picture, 16, 8), 16, 8);
  t.deepEqual(restored, picture);
});

test('NaN and a wrong number of elements are refused', t => {
  t.throws(() => tensorToImage(new Float32Array(11), 2, 2), {instanceOf: ShapeError, message: /12 elements/});
  t.throws(() => tensorToImage(new Float32Array(12).fill(Number.NaN), 2, 2), {instanceOf: NumericError});
});

test('sizes that are no multiple of 8 name the nearest that are', async t => {
  const refuses = (w: number, h: number, message: RegExp) =>
    t.throws(() => checkLatentSize(w, h), {instanceOf: ArgumentError, message});
  refuses(515, 512, /^width: .*received 515.*512 or 520/);
  refuses(512, 3, /^height: .*nearest that work: 8\./);
  refuses(0, 512, /^width/);
  refuses(-16, 512, /^width.*: 8\./);
  refuses(Number.NaN, 512, /^width.*instance 512/);
  t.notThrows(() => checkLatentSize(8, 520));
  await t.throwsAsync(imageToTensor(image, 12, 8), {instanceOf: ArgumentError});
  await t.throwsAsync(maskToTensor(image, 8, 12), {instanceOf: ArgumentError});
});
