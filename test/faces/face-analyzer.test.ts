import test from 'ava';
import {ArgumentError, DisposedError, FileError} from '../../lib/errors.ts';
import type {Face} from '../../lib/faces/face.ts';
import {FaceAnalyzer} from '../../lib/faces/face-analyzer.ts';
import {cropImage} from '../../lib/images/crop-image.ts';
import type {RgbImage} from '../../lib/images/image.ts';
import {resizeLikePil} from '../../lib/images/pil-resize.ts';
import {faceFixture, faceModels, facePhotograph} from '../_helpers/face-fixture.ts';
import {floatsOf, noiseImage} from '../_helpers/image-fixtures.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const analyzer = await FaceAnalyzer.load(faceModels, {device: 'cpu'});
const photograph = await facePhotograph();

test('finds the face that face-api finds, its landmarks and whose it is', async t => {
  const {landmarks, descriptor, ...expected} = faceFixture.photograph.faces[0]!;
  const faces = await analyzer.detect(photograph);
  t.is(faces.length, faceFixture.photograph.faces.length);
  const [face] = faces as [(typeof faces)[number]];
  // The detector's input is the same, so that only a decoder's rounding differs.
  t.true(Math.abs(face.score - expected.score) < 1e-3, `${face.score}`);
  for (const side of ['x', 'y', 'width', 'height'] as const) {
    t.true(Math.abs(face.box[side] - expected.box[side]) < 0.1, `${side} ${face.box[side]}`);
  }
  // The other networks' inputs are resampled by another filter.
  t.is(face.landmarks.length, 68);
  const apart = landmarks.map(({x, y}, i) => distance([x, y], [face.landmarks[i]!.x, face.landmarks[i]!.y]));
  t.true(Math.max(...apart) < 0.02 * face.box.width, `${Math.max(...apart)} pixels`);
  const away = distance(await analyzer.identity(photograph, face), floatsOf(descriptor));
  t.true(away < 0.2, `descriptors ${away} apart`);
});

for (const [left, top] of [
  [160, 0],
  [0, 120],
] as const) {
  test(`a face is found, and is of whom it was, in a picture that has ${left}x${top} more pixels before it`, async t => {
    const [face] = await analyzer.detect(photograph);
    const larger = moved(photograph, left, top);
    const [again, ...others] = await analyzer.detect(larger);
    t.deepEqual(others, []);
    t.true(noseDistance(again!, face!, left, top) < 0.05 * face!.box.width);
    const identities = [await analyzer.identity(photograph, face!), await analyzer.identity(larger, again!)];
    t.true(distance(identities[0]!, identities[1]!) < 0.4);
  });
}

for (const [left, top] of [
  [140, 0],
  [0, 130],
] as const) {
  test(`a face of which ${left}x${top} pixels are cut off is found where it is`, async t => {
    const [face] = await analyzer.detect(photograph);
    const size = {width: photograph.width - left, height: photograph.height - top};
    const cut = cropImage(photograph, {left, top, ...size});
    const [again] = await analyzer.detect(cut);
    t.true(again!.box.x < 0 || again!.box.y < 0);
    t.true(noseDistance(again!, face!, -left, -top) < 0.05 * face!.box.width);
    t.is((await analyzer.identity(cut, again!)).length, 128);
  });
}

test('a smaller copy of a picture is of the same person', async t => {
  const half = await resizeLikePil(photograph, {width: 208, height: 208}, 'bicubic');
  const [[large], [small]] = [await analyzer.detect(photograph), await analyzer.detect(half)];
  const identities = [await analyzer.identity(photograph, large!), await analyzer.identity(half, small!)];
  t.true(distance(identities[0]!, identities[1]!) < 0.4);
});

test('there is no face in noise, nor in the smallest picture', async t => {
  t.deepEqual(await analyzer.detect(noiseImage(200, 150)), []);
  t.deepEqual(await analyzer.detect(noiseImage(1, 1)), []);
});

test('refuses what is no picture, and landmarks of none', async t => {
  const fails = (promise: Promise<unknown>, message: RegExp) =>
    t.throwsAsync(promise, {instanceOf: ArgumentError, message});
  await fails(analyzer.detect('photo.jpg' as never), /image: expected a decoded picture/);
  await fails(analyzer.identity(photograph, {landmarks: []}), /expected 68 points, got 0/);
  const outside = Array.from({length: 68}, (_, i) => ({x: 5000 + i, y: 5000 + (i % 7)}));
  await fails(analyzer.identity(photograph, {landmarks: outside}), /Is it a face of this picture/);
  const unknown = outside.map(() => ({x: Number.NaN, y: 0}));
  await fails(analyzer.identity(photograph, {landmarks: unknown}), /Is it a face of this picture/);
});

test('stops when it is told to', async t => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  t.is(await t.throwsAsync(analyzer.detect(photograph, {signal})), reason);
});

test('is of no use after dispose', async t => {
  const disposed = await FaceAnalyzer.load(faceModels, {device: 'cpu'});
  await disposed.detect(noiseImage(20, 20));
  await disposed.dispose();
  await t.throwsAsync(disposed.detect(noiseImage(20, 20)), {instanceOf: DisposedError});
});

test('says which file is missing', async t => {
  const folder = await tempFolder(t);
  await t.throwsAsync(FaceAnalyzer.load(folder, {device: 'cpu'}), {
    instanceOf: FileError,
    message: /_model-weights_manifest\.json: cannot be read/,
  });
});

/** Of the noses of two faces, where the first is in a picture that was moved. */
function noseDistance(moved: Face, face: Face, left: number, top: number): number {
  const [a, b] = [moved.landmarks[30]!, face.landmarks[30]!];
  return distance([a.x - left, a.y - top], [b.x, b.y]);
}

/** In a larger grey picture. */
function moved(image: RgbImage, left: number, top: number): RgbImage {
  const [width, height] = [image.width + left, image.height + top];
  const data = new Uint8Array(width * height * 3).fill(128);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * image.width * 3, (y + 1) * image.width * 3);
    data.set(row, ((top + y) * width + left) * 3);
  }
  return {width, height, data};
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.hypot(...Array.from(a, (value, i) => value - b[i]!));
}
