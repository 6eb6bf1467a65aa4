import {mkdir, readdir, readFile, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import {ArgumentError, FileError} from '../../lib/errors.ts';
import {readTensor} from '../../lib/weights/read-tensor.ts';
import {parseSafetensors, readSafetensorsIndex} from '../../lib/weights/safetensors.ts';
import {BYTES_PER_ELEMENT, elementCount, type StoredDType} from '../../lib/weights/stored-tensor.ts';
import {type TensorData, writeSafetensors} from '../../lib/weights/write-safetensors.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';

/** A file from its header and data, without any care. */
function fileOf(header: string | object, data: Buffer = Buffer.alloc(0), statedLength?: bigint): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(statedLength ?? BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

const entry = (dtype: unknown, shape: unknown, ...offsets: unknown[]) => ({
  dtype,
  shape,
  data_offsets: offsets,
});

const arbitraryTensor: fc.Arbitrary<TensorData> = fc
  .record({
    shape: fc.array(fc.nat({max: 4}), {maxLength: 4}),
    dtype: fc.constantFrom(...(Object.keys(BYTES_PER_ELEMENT) as StoredDType[])),
  })
  .chain(({shape, dtype}) => {
    const length = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
    return fc.uint8Array({minLength: length, maxLength: length}).map(data => ({shape, dtype, data}));
  });

test('what is written is read: names, shapes, dtypes, bytes, metadata', async t => {
  const path = join(await tempFolder(t), 'a.safetensors');
  const names = fc.string({unit: 'binary'}).filter(name => name !== '__metadata__');
  const property = fc.asyncProperty(
    fc.uniqueArray(fc.tuple(names, arbitraryTensor), {selector: ([name]) => name, maxLength: 8}),
    fc.dictionary(names, names),
    async (entries, metadata) => {
      await writeSafetensors(path, new Map(entries), metadata);
      const index = await readSafetensorsIndex(path);
      const content = await readFile(path);
      t.deepEqual({...index.metadata}, {...metadata});
      t.is(index.tensors.size, entries.length);
      for (const [name, {shape, dtype, data}] of entries) {
        const stored = index.tensors.get(name)!;
        t.deepEqual({shape: stored.shape, dtype: stored.dtype}, {shape, dtype});
        t.is(stored.byteOffset % BYTES_PER_ELEMENT[dtype], 0);
        const range = content.subarray(stored.byteOffset, stored.byteOffset + stored.byteLength);
        t.deepEqual(new Uint8Array(range), data);
      }
      const whole = parseSafetensors(path, content);
      t.deepEqual({...whole.metadata}, {...metadata});
      for (const [name, stored] of index.tensors) {
        t.deepEqual(whole.tensors.get(name), {shape: stored.shape, data: await readTensor(stored)});
      }
    },
  );
  await fc.assert(property, {numRuns: 100});
});

test('a file of the reference writer is written again byte for byte', async t => {
  const original = fileURLToPath(new URL('../fixtures/reference/ip-adapter.safetensors', import.meta.url));
  const content = await readFile(original);
  const tensors = new Map<string, TensorData>();
  for (const {name, shape, dtype, byteOffset, byteLength} of (
    await readSafetensorsIndex(original)
  ).tensors.values()) {
    tensors.set(name, {shape, dtype, data: content.subarray(byteOffset, byteOffset + byteLength)});
  }
  const path = join(await tempFolder(t), 'a.safetensors');
  await writeSafetensors(path, tensors);
  t.true(content.equals(await readFile(path)));
});

test('values of every dtype become float32', async t => {
  const path = join(await tempFolder(t), 'a.safetensors');
  const values: readonly (readonly [StoredDType, ArrayBufferView, readonly number[]])[] = [
    ['float64', Float64Array.of(1.5, -1e300), [1.5, Number.NEGATIVE_INFINITY]],
    ['float32', Float32Array.of(1.5, -2), [1.5, -2]],
    // 1.5, -0, the smallest subnormal, the largest, infinity.
    [
      'float16',
      Uint16Array.of(0x3e00, 0x8000, 0x0001, 0x7bff, 0xfc00),
      [1.5, -0, 2 ** -24, 65504, Number.NEGATIVE_INFINITY],
    ],
    ['float16', Uint16Array.of(0x7e00), [Number.NaN]],
    ['bfloat16', Uint16Array.of(0x3fc0, 0xc000), [1.5, -2]],
    ['int64', BigInt64Array.of(-3n), [-3]],
    ['int32', Int32Array.of(-3), [-3]],
    ['int16', Int16Array.of(-3), [-3]],
    ['int8', Int8Array.of(-3), [-3]],
    ['uint64', BigUint64Array.of(3n), [3]],
    ['uint32', Uint32Array.of(2 ** 31), [2 ** 31]],
    ['uint16', Uint16Array.of(65535), [65535]],
    ['uint8', Uint8Array.of(255), [255]],
    ['bool', Uint8Array.of(1, 0), [1, 0]],
  ];
  for (const [dtype, data, expected] of values) {
    await writeSafetensors(path, new Map([['x', {shape: [expected.length], dtype, data}]]));
    const stored = (await readSafetensorsIndex(path)).tensors.get('x')!;
    t.deepEqual([...(await readTensor(stored))], [...expected], dtype);
  }
});

const damages: readonly (readonly [title: string, content: Buffer, message: RegExp])[] = [
  ['an empty file', Buffer.alloc(0), /at least 8 bytes; got 0 bytes in all.*truncated/],
  ['a cut length', Buffer.alloc(7), /truncated/],
  [
    'a header longer than the file',
    fileOf('{}', undefined, 1000n),
    /header of 1000 bytes; got a file of 10 bytes/,
  ],
  ['a header of absurd length', fileOf('{}', undefined, 2n ** 63n), /at most 100000000 bytes/],
  ['bad JSON', fileOf('{"a": '), /a header in JSON/],
  ['deeply nested JSON', fileOf('['.repeat(1_000_000)), /a header in JSON/],
  ['a list as header', fileOf('[]'), /a JSON object/],
  ['an entry that is no object', fileOf({x: 3}), /dtype, shape and data_offsets of tensor 'x'/],
  [
    'an unknown dtype',
    fileOf({x: entry('F8_E4M3', [1], 0, 1)}, Buffer.alloc(1)),
    /dtype out of F64, .*got "F8_E4M3"/,
  ],
  ['a negative size', fileOf({x: entry('F32', [-1], 0, 4)}, Buffer.alloc(4)), /list of sizes/],
  ['a fractional size', fileOf({x: entry('F32', [0.5], 0, 2)}, Buffer.alloc(2)), /list of sizes/],
  ['a shape that is no list', fileOf({x: entry('F32', {length: 1}, 0, 4)}, Buffer.alloc(4)), /list of sizes/],
  [
    'no offsets',
    fileOf({x: entry('F32', [1])}, Buffer.alloc(4)),
    /data_offsets \[begin, end\] of tensor 'x'/,
  ],
  ['offsets in reverse', fileOf({x: entry('F32', [1], 4, 0)}, Buffer.alloc(4)), /data_offsets/],
  [
    'a size that overflows',
    fileOf({x: entry('F32', [2 ** 52, 2 ** 52, 2 ** 52], 0, 4)}, Buffer.alloc(4)),
    /bytes for tensor 'x'/,
  ],
  [
    'a range of the wrong length',
    fileOf({x: entry('F32', [2], 0, 4)}, Buffer.alloc(4)),
    /8 bytes for tensor 'x', which is float32 \[2\]/,
  ],
  ['a range beyond the file', fileOf({x: entry('F32', [2], 0, 8)}, Buffer.alloc(4)), /truncated/],
  ['data after the last tensor', fileOf({x: entry('F32', [1], 0, 4)}, Buffer.alloc(5)), /damaged/],
  [
    'an overlap',
    fileOf({x: entry('U8', [4], 0, 4), y: entry('U8', [4], 2, 6)}, Buffer.alloc(6)),
    /'y' at byte 4 .*an overlap/,
  ],
  [
    'a hole',
    fileOf({x: entry('U8', [2], 0, 2), y: entry('U8', [2], 4, 6)}, Buffer.alloc(6)),
    /'y' at byte 2 .*a hole/,
  ],
  ['a hole at the start', fileOf({x: entry('U8', [2], 2, 4)}, Buffer.alloc(4)), /a hole/],
  [
    'a name twice',
    fileOf(
      '{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0078":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
    ),
    /every tensor once; got 'x' more than once/,
  ],
  ['metadata that is no object of strings', fileOf({__metadata__: {a: 1}}), /object of strings/],
];

for (const [title, content, message] of damages) {
  test(`is a FileError: ${title}`, async t => {
    const path = join(await tempFolder(t), 'a.safetensors');
    await writeFile(path, content);
    const error = await t.throwsAsync(readSafetensorsIndex(path), {instanceOf: FileError, message});
    t.true(error.message.startsWith(`${path}: `));
    t.throws(() => parseSafetensors(path, content), {instanceOf: FileError, message: error.message});
  });
}

test('names with quotes, colons and braces are not taken for structure', async t => {
  const path = join(await tempFolder(t), 'a.safetensors');
  const tensors = new Map(
    ['a":{', '}"\\', '"a":1,"a":2', '__proto__'].map(
      name => [name, {shape: [], dtype: 'uint8', data: Uint8Array.of(7)}] as const,
    ),
  );
  await writeSafetensors(path, tensors);
  t.deepEqual([...(await readSafetensorsIndex(path)).tensors.keys()].sort(), [...tensors.keys()].sort());
});

test('any change of bytes gives an index within the file or a FileError', async t => {
  const path = join(await tempFolder(t), 'a.safetensors');
  const tensors = new Map<string, TensorData>([
    ['first', {shape: [2, 3], dtype: 'float32', data: new Float32Array(6)}],
    ['second', {shape: [4], dtype: 'float16', data: new Uint16Array(4)}],
  ]);
  await writeSafetensors(path, tensors, {format: 'pt'});
  const sound = await readFile(path);
  const change = fc.tuple(fc.nat({max: sound.length - 1}), fc.nat({max: 255}));
  const property = fc.asyncProperty(
    fc.array(change, {minLength: 1, maxLength: 4}),
    fc.nat({max: 64}),
    async (changes, cut) => {
      const content = Buffer.from(sound);
      for (const [at, value] of changes) content[at] = value;
      const kept = content.subarray(0, Math.max(0, content.length - Math.max(0, cut - 48)));
      await writeFile(path, kept);
      try {
        for (const tensor of (await readSafetensorsIndex(path)).tensors.values()) {
          t.true(tensor.byteOffset + tensor.byteLength <= kept.length);
        }
      } catch (error) {
        t.true(error instanceof FileError, String(error));
      }
    },
  );
  await fc.assert(property, {numRuns: 500});
});

test('a missing file, a folder and a file that has shrunk are FileErrors', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.safetensors');
  await t.throwsAsync(readSafetensorsIndex(path), {instanceOf: FileError, message: /no such file/});
  await t.throwsAsync(readSafetensorsIndex(folder), {instanceOf: FileError, message: /expected a file/});
  await writeSafetensors(path, new Map([['x', {shape: [2], dtype: 'float32', data: new Float32Array(2)}]]));
  const stored = (await readSafetensorsIndex(path)).tensors.get('x')!;
  await truncate(path, stored.byteOffset + 4);
  await t.throwsAsync(readTensor(stored), {instanceOf: FileError, message: /expected 8 bytes .* got 4/});
});

test('a file that cannot be written leaves nothing behind and keeps what was there', async t => {
  const folder = await tempFolder(t);
  const tensors = new Map<string, TensorData>([
    ['x', {shape: [1], dtype: 'float32', data: Float32Array.of(1)}],
  ]);
  await t.throwsAsync(writeSafetensors(join(folder, 'none/a.safetensors'), tensors), {instanceOf: FileError});

  // The rename fails, as the place is taken by a folder: the file beside it must go.
  const taken = join(folder, 'taken');
  await mkdir(join(taken, 'inner'), {recursive: true});
  await t.throwsAsync(writeSafetensors(taken, tensors), {
    instanceOf: FileError,
    message: /cannot be written/,
  });
  t.deepEqual(await readdir(folder), ['taken']);
});

test('data that do not fit their shape are refused before anything is written', async t => {
  const folder = await tempFolder(t);
  const path = join(folder, 'a.safetensors');
  const short: TensorData = {shape: [2], dtype: 'float32', data: Float32Array.of(1)};
  await t.throwsAsync(writeSafetensors(path, new Map([['x', short]])), {
    instanceOf: ArgumentError,
    message: /'x': expected 8 bytes for float32 \[2\]; got 4/,
  });
  await t.throwsAsync(writeSafetensors(path, new Map([['__metadata__', short]])), {
    instanceOf: ArgumentError,
  });
  t.deepEqual(await readdir(folder), []);
});
