import {execFile} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import test from 'ava';
import {ArgumentError} from '../../lib/errors.ts';
import {preprocessForClip} from '../../lib/images/clip-preprocess.ts';
import {parseClipPreprocessConfig} from '../../lib/images/clip-preprocess-config.ts';
import {decodeImage} from '../../lib/images/decode-image.ts';
import {bytesOf, floatsOf, noiseImage, readImageFixture, rgbOf} from '../_helpers/image-fixtures.ts';
import {readSafetensors} from '../_helpers/read-safetensors.ts';

interface ClipCase {
  source: [number, number];
  config: Record<string, unknown>;
  input: string;
  output: string;
}

interface PadCase {
  source: [number, number];
  size: number;
  color: [number, number, number];
  input: string;
  output: string;
}

const fixture = readImageFixture<{clip: ClipCase[]; pad: PadCase[]}>('preprocess.json');
const reference = new URL('../fixtures/reference/', import.meta.url);

test('the reference picture gives the reference pixel values, bit for bit', async t => {
  const image = await decodeImage(fileURLToPath(new URL('condition.png', reference)));
  const {pixel_values: expected} = readSafetensors(new URL('cases/clip_vision.safetensors', reference));
  t.deepEqual(await preprocessForClip(image), expected!.data);
});

for (const {source, config, input, output} of fixture.clip) {
  test(`${source.join('x')} with size ${JSON.stringify(config.size)} gives transformers' values`, async t => {
    const values = await preprocessForClip(rgbOf(source, input), parseClipPreprocessConfig(config));
    t.deepEqual(values, floatsOf(output));
  });
}

for (const {source, size, color, input, output} of fixture.pad) {
  test(`${source.join('x')} padded gives the bytes of PIL.ImageOps.pad`, async t => {
    const values = await preprocessForClip(rgbOf(source, input), {
      size,
      cropSize: size,
      fit: 'pad',
      padColor: color,
      rescaleFactor: 1,
      mean: [0, 0, 0],
      std: [1, 1, 1],
    });
    const bytes = Uint8Array.from(
      {length: values.length},
      (_, i) => values[(i % 3) * size * size + Math.floor(i / 3)]!,
    );
    t.deepEqual(bytes, bytesOf(output));
  });
}

test('pictures of one pixel and of one line work with every fit', async t => {
  for (const fit of ['crop', 'stretch', 'pad'] as const) {
    for (const [width, height] of [
      [1, 1],
      [1, 5000],
      [5000, 1],
    ] as const) {
      const values = await preprocessForClip(noiseImage(width, height), {fit});
      t.is(values.length, 3 * 224 * 224);
      t.true(values.every(Number.isFinite));
    }
  }
});

// In a process of its own, by processor time: what else runs on the machine or in this process does not count.
test('12 megapixels take under half a second, and a timer of 10 ms is never late by 50', async t => {
  const script = fileURLToPath(new URL('../_helpers/measure-preprocess.ts', import.meta.url));
  const {stdout} = await promisify(execFile)(process.execPath, ['--import=tsx', script]);
  const {whole, longestTurn} = JSON.parse(stdout);
  t.log(`${whole} ms in all, ${longestTurn} ms between two timers at most`);
  t.true(longestTurn < 10 + 50);
  t.true(whole < 500);
});

test('options out of range are argument errors', async t => {
  const image = noiseImage(4, 4);
  await t.throwsAsync(preprocessForClip(image, {cropSize: 0}), {
    instanceOf: ArgumentError,
    message: /cropSize/,
  });
  await t.throwsAsync(preprocessForClip(image, {size: 200}), {
    instanceOf: ArgumentError,
    message: /size.*200/,
  });
  await t.throwsAsync(preprocessForClip(image, {fit: 'cover' as 'crop'}), {
    message: /'crop', 'stretch' or 'pad'/,
  });
  await t.throwsAsync(preprocessForClip(image, {fit: 'pad', padColor: 'puce'}), {message: /padColor/});
  await t.throwsAsync(preprocessForClip({...image, data: new Uint8Array(5)}), {
    message: /48 bytes.*received 5/,
  });
});
