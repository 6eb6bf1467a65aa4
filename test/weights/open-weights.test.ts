import {execFileSync} from 'node:child_process';
import {copyFile, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import {FileError} from '../../lib/errors.ts';
import {openWeights} from '../../lib/weights/open-weights.ts';
import {type TensorData, writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {dict, floats, pickle, tensor, torchFile} from '../_helpers/torch-file.ts';

const reference = fileURLToPath(new URL('../fixtures/reference', import.meta.url));

const one = (name: string): Map<string, TensorData> =>
  new Map([[name, {shape: [1], dtype: 'float32', data: Float32Array.of(1)}]]);

test('the format is told by the first bytes, whatever the name says', async t => {
  const folder = await tempFolder(t);
  await copyFile(join(reference, 'ip-adapter.bin'), join(folder, 'a.safetensors'));
  await copyFile(join(reference, 'ip-adapter.safetensors'), join(folder, 'a.bin'));
  const torch = await openWeights(join(folder, 'a.safetensors'));
  const safe = await openWeights(join(folder, 'a.bin'));
  t.deepEqual([...torch.tensors.keys()].sort(), [...safe.tensors.keys()].sort());
});

test('a component folder: the best file of those that are there', async t => {
  const folder = await tempFolder(t);
  const stream = pickle(dict({bin: tensor({key: '0', storageLength: 1, shape: [1], strides: [1]})}));
  await writeFile(join(folder, 'pytorch_model.bin'), torchFile(stream, {0: floats(1)}));
  const names = async () => [...(await openWeights(folder)).tensors.keys()];
  t.deepEqual(await names(), ['bin']);
  await writeSafetensors(join(folder, 'model.fp16.safetensors'), one('half'));
  t.deepEqual(await names(), ['half']);
  await writeSafetensors(join(folder, 'model.safetensors'), one('full'));
  t.deepEqual(await names(), ['full']);
});

test('a folder without weights: the names that were looked for and those that are there', async t => {
  const folder = await tempFolder(t);
  await t.throwsAsync(openWeights(folder), {instanceOf: FileError, message: /got an empty folder/});
  await writeFile(join(folder, 'config.json'), '{}');
  await t.throwsAsync(openWeights(folder), {
    instanceOf: FileError,
    message: /expected one of diffusion_pytorch_model\.safetensors, .*pytorch_model\.bin.*; got config\.json/,
  });
  await t.throwsAsync(openWeights(join(folder, 'none')), {instanceOf: FileError, message: /no such file/});
});

test('a sharded model is one index over its files', async t => {
  const folder = await tempFolder(t);
  await writeSafetensors(join(folder, 'model-1.safetensors'), one('a'));
  await writeSafetensors(join(folder, 'model-2.safetensors'), one('b'));
  const index = join(folder, 'model.safetensors.index.json');
  const shard = (map: unknown) => writeFile(index, JSON.stringify({weight_map: map}));

  await shard({a: 'model-1.safetensors', b: 'model-2.safetensors'});
  const {tensors} = await openWeights(folder);
  t.deepEqual(
    [...tensors.values()].map(({name, file}) => [name, file]),
    [
      ['a', join(folder, 'model-1.safetensors')],
      ['b', join(folder, 'model-2.safetensors')],
    ],
  );

  const bad: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /no 'weight_map'/],
    [{a: 'model-2.safetensors'}, /expected tensor 'a' in 'model-2\.safetensors'; got none/],
    [{a: 'model-3.safetensors'}, /model-3\.safetensors: cannot be read/],
    [{a: '../model-1.safetensors'}, /got the shard "\.\.\/model-1\.safetensors" for 'a'/],
    [{a: 1}, /got the shard 1 for 'a'/],
  ];
  for (const [map, message] of bad) {
    await shard(map);
    await t.throwsAsync(openWeights(index), {instanceOf: FileError, message});
  }
  await writeFile(index, '{');
  await t.throwsAsync(openWeights(index), {
    instanceOf: FileError,
    message: /expected JSON with a 'weight_map'/,
  });
});

const strangers: readonly (readonly [title: string, content: string, message: RegExp])[] = [
  [
    'old torch format',
    '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.',
    /before torch 1\.6\. Convert it in Python/,
  ],
  ['Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0', /git lfs pull/],
  ['web page', '\n<!DOCTYPE html><html>', /a web page: the download has failed/],
  ['GGUF', 'GGUF\x03\x00\x00\x00\x00\x00\x00\x00', /a GGUF file/],
  ['HDF5', '\x89HDF\r\n\x1a\n\x00', /HDF5/],
  ['empty file', '', /truncated/],
  ['something else', 'abcdefghijkl', /begins with the bytes 6162636465666768/],
];

for (const [title, content, message] of strangers) {
  test(`is a FileError that says what it is: ${title}`, async t => {
    const path = join(await tempFolder(t), 'model.safetensors');
    await writeFile(path, content, 'latin1');
    await t.throwsAsync(openWeights(path), {instanceOf: FileError, message});
  });
}

test('a named pipe is a FileError, not a wait without end', async t => {
  const folder = await tempFolder(t);
  if (process.platform === 'win32') return t.pass('Windows has no such files');
  const path = join(folder, 'pipe.safetensors');
  execFileSync('mkfifo', [path]);
  await t.throwsAsync(openWeights(path), {instanceOf: FileError, message: /expected a file/});
});

test('a folder of the name of a weight file is a FileError', async t => {
  const folder = await tempFolder(t);
  await mkdir(join(folder, 'model.safetensors'));
  await t.throwsAsync(openWeights(folder), {instanceOf: FileError, message: /expected a file/});
});
