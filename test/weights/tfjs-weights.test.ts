import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {FileError} from '../../lib/errors.ts';
import {readTfjsWeights} from '../../lib/weights/tfjs-weights.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

const float32 = {dtype: 'float32'};

/** Writes a manifest and its files; gives the manifest's path. */
async function save(
  t: ExecutionContext,
  manifest: unknown,
  files: Readonly<Record<string, ArrayBufferView>> = {},
): Promise<string> {
  const folder = await tempFolder(t);
  for (const [name, {buffer, byteOffset, byteLength}] of Object.entries(files)) {
    await writeFile(join(folder, name), new Uint8Array(buffer, byteOffset, byteLength));
  }
  const path = join(folder, 'weights_manifest.json');
  await writeFile(path, typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  return path;
}

test('numbers lie one after another, over files of a group; names are joined by dots', async t => {
  const weights = [
    {name: 'conv/filters', shape: [2, 2], ...float32},
    {name: 'conv/bias', shape: [2], ...float32},
  ];
  const manifest = [
    {paths: ['a.bin', 'b.bin'], weights},
    {paths: ['c.bin'], weights: [{name: 'scale', shape: [], ...float32}]},
  ];
  const tensors = await readTfjsWeights(
    await save(t, manifest, {
      'a.bin': Float32Array.of(1, 2, 3),
      'b.bin': Float32Array.of(4, 5, 6),
      'c.bin': Float32Array.of(0.5),
    }),
  );
  t.deepEqual(Object.fromEntries(tensors), {
    'conv.filters': {shape: [2, 2], data: Float32Array.of(1, 2, 3, 4)},
    'conv.bias': {shape: [2], data: Float32Array.of(5, 6)},
    scale: {shape: [], data: Float32Array.of(0.5)},
  });
});

test('quantised numbers are value · scale + min; float16 stands for itself', async t => {
  const quantized = (name: string, quantization: object) => ({name, shape: [3], ...float32, quantization});
  const manifest = [
    {
      paths: ['a.bin'],
      weights: [
        quantized('bytes', {dtype: 'uint8', scale: 0.1, min: -1}),
        quantized('words', {dtype: 'uint16', scale: 0.001, min: 3}),
        quantized('halves', {dtype: 'float16'}),
      ],
    },
  ];
  // An odd number of bytes first, so that nothing behind it is aligned. 0x3c00 is 1, 0xc000 is -2, 0x3555 nearly 1/3.
  const words = Uint16Array.of(0, 1000, 65535, 0x3c00, 0xc000, 0x3555);
  const bytes = Uint8Array.of(0, 10, 255, ...new Uint8Array(words.buffer));
  const tensors = await readTfjsWeights(await save(t, manifest, {'a.bin': bytes}));
  const dataOf = (name: string) => tensors.get(name)!.data;
  t.deepEqual(dataOf('bytes'), Float32Array.of(-1, 0, 255 * 0.1 - 1));
  t.deepEqual(dataOf('words'), Float32Array.of(3, 4, 65535 * 0.001 + 3));
  t.deepEqual(dataOf('halves'), Float32Array.of(1, -2, 0.333251953125));
});

const one = {name: 'a', shape: [1], ...float32};

for (const [what, manifest, message] of [
  ['text', 'weights', /expected a TensorFlow\.js weights manifest.*not valid JSON/s],
  ['another JSON file', {model: 'a'}, /expected a TensorFlow\.js weights manifest/],
  ['no group', [], /expected a TensorFlow\.js weights manifest/],
  [
    'another dtype',
    [{paths: ['a.bin'], weights: [{...one, dtype: 'int32'}]}],
    /"float32".*\[0\]\.weights\[0\]\.dtype/s,
  ],
  ['a negative extent', [{paths: ['a.bin'], weights: [{...one, shape: [-1]}]}], /shape/],
  [
    'another quantisation',
    [{paths: ['a.bin'], weights: [{...one, quantization: {dtype: 'uint4'}}]}],
    /quantization/,
  ],
  ['a file elsewhere', [{paths: ['../a.bin'], weights: [one]}], /the name of a file beside it/],
  ['a file that is not there', [{paths: ['b.bin'], weights: [one]}], /b\.bin: cannot be read/],
  [
    'fewer bytes',
    [{paths: ['a.bin'], weights: [one, {...one, name: 'b'}]}],
    /expected 8 bytes in a\.bin; got 4/,
  ],
  [
    'far fewer',
    [{paths: ['a.bin'], weights: [{...one, shape: [2 ** 40, 2 ** 40]}]}],
    /bytes in a\.bin; got 4/,
  ],
  ['more bytes', [{paths: ['a.bin'], weights: []}], /expected 0 bytes in a\.bin; got 4/],
  [
    'a name twice',
    [{paths: ['a.bin', 'a.bin'], weights: [one, one]}],
    /every tensor once; got 'a' more than once/,
  ],
] as const) {
  test(`refuses ${what}`, async t => {
    const path = await save(t, manifest, {'a.bin': Float32Array.of(1)});
    await t.throwsAsync(readTfjsWeights(path), {instanceOf: FileError, message});
  });
}
