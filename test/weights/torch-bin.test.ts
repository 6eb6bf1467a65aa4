import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import test, {type ExecutionContext} from 'ava';
import fc from 'fast-check';
import {FileError} from '../../lib/errors.ts';
import {readTensor} from '../../lib/weights/read-tensor.ts';
import {readSafetensorsIndex} from '../../lib/weights/safetensors.ts';
import type {WeightIndex} from '../../lib/weights/stored-tensor.ts';
import {readTorchIndex} from '../../lib/weights/torch-bin.ts';
import {tempFolder} from '../_helpers/temp-folder.ts';
import {call, dict, floats, op, pickle, tensor, torchFile, tuple, zip} from '../_helpers/torch-file.ts';

const reference = fileURLToPath(new URL('../fixtures/reference', import.meta.url));

async function read(t: ExecutionContext, content: Buffer): Promise<WeightIndex> {
  const path = join(await tempFolder(t), 'a.bin');
  await writeFile(path, content);
  return readTorchIndex(path);
}

/** A vector of the four floats in storage `0`. */
const vector = tensor({key: '0', storageLength: 4, shape: [4], strides: [1]});
const storages = {0: floats(1, 2, 3, 4)};

for (const name of ['ip-adapter', 'ip-adapter-plus', 'ip-adapter-instruct', 'ip-adapter-instruct-paper']) {
  test(`${name}: .bin and .safetensors give the same names, shapes and values`, async t => {
    const bin = await readTorchIndex(join(reference, `${name}.bin`));
    const safe = await readSafetensorsIndex(join(reference, `${name}.safetensors`));
    t.deepEqual([...bin.tensors.keys()].sort(), [...safe.tensors.keys()].sort());
    for (const [key, stored] of safe.tensors) {
      const other = bin.tensors.get(key)!;
      t.deepEqual([other.shape, other.dtype], [stored.shape, stored.dtype], key);
      t.deepEqual(await readTensor(other), await readTensor(stored), key);
    }
  });
}

test('views of one storage; nested dicts give dotted names; other values are left out', async t => {
  const stream = pickle(
    dict({
      step: op.int(3),
      note: op.text('hello'),
      nothing: op.none,
      inner: dict({
        tail: tensor({key: '0', storageLength: 4, offset: 2, shape: [2], strides: [1]}),
        parameter: call('torch._utils', '_rebuild_parameter', vector, op.none, op.none),
        deeper: dict({scalar: tensor({key: '0', storageLength: 4, offset: 3, shape: [], strides: []})}),
      }),
    }),
  );
  const {tensors} = await read(t, torchFile(stream, storages));
  t.deepEqual([...tensors.keys()], ['inner.tail', 'inner.parameter', 'inner.deeper.scalar']);
  t.deepEqual([...(await readTensor(tensors.get('inner.tail')!))], [3, 4]);
  t.deepEqual([...(await readTensor(tensors.get('inner.parameter')!))], [1, 2, 3, 4]);
  t.deepEqual([...(await readTensor(tensors.get('inner.deeper.scalar')!))], [4]);
});

test('of a training checkpoint only the state dict is taken, attributes set on it are ignored', async t => {
  const stateDict = Buffer.concat([dict({w: vector}), dict({_metadata: dict({})}), op.build]);
  const stream = pickle(dict({epoch: op.int(1), optimizer: dict({m: vector}), state_dict: stateDict}));
  t.deepEqual([...(await read(t, torchFile(stream, storages))).tensors.keys()], ['w']);
});

test('strides of axes of length 1 do not matter', async t => {
  const row = tensor({key: '0', storageLength: 4, shape: [1, 4], strides: [0, 1]});
  t.deepEqual((await read(t, torchFile(pickle(dict({row})), storages))).tensors.get('row')!.shape, [1, 4]);
});

const unsafeStreams: readonly (readonly [title: string, stream: Buffer, named: string])[] = [
  ['os.system called', pickle(dict({x: call('os', 'system', op.text('echo hello'))})), "'os.system'"],
  [
    'posix.system called at the top',
    pickle(call('posix', 'system', op.text('echo hello'))),
    "'posix.system'",
  ],
  [
    'builtins.eval in a nested dict',
    pickle(dict({a: dict({b: call('builtins', 'eval', op.text('1'))})})),
    "'builtins.eval'",
  ],
  ['a class that is only named', pickle(dict({x: op.global('numpy', 'dtype')})), "'numpy.dtype'"],
  [
    'a global named by strings on the stack',
    pickle(
      dict({
        x: Buffer.concat([op.text('os'), op.text('system'), op.stackGlobal, tuple(op.text('ls')), op.reduce]),
      }),
    ),
    "'os.system'",
  ],
  [
    'a listed name with a suffix',
    pickle(op.global('torch', 'FloatStorage.__init__')),
    "'torch.FloatStorage.__init__'",
  ],
  [
    'a storage class called',
    pickle(call('torch', 'FloatStorage', op.int(1))),
    "a call of 'torch.FloatStorage'",
  ],
  [
    'a string called',
    pickle(op.text('x'), op.emptyTuple, op.reduce),
    'a call of something that is no function',
  ],
  [
    'an inherited property as a name',
    pickle(op.global('constructor', 'constructor')),
    "'constructor.constructor'",
  ],
];

for (const [title, stream, named] of unsafeStreams) {
  test(`runs nothing and says what was named: ${title}`, async t => {
    const error = await t.throwsAsync(read(t, torchFile(stream, storages)), {instanceOf: FileError});
    t.true(error.message.includes(named), error.message);
    t.true(error.message.includes('Nothing of it was run'));
  });
}

const id = (...items: Buffer[]) => Buffer.concat([tuple(...items), op.persistentId]);
const floatStorage = op.global('torch', 'FloatStorage');

const damagedStreams: readonly (readonly [title: string, stream: Buffer, message: RegExp])[] = [
  ['an empty stream', Buffer.alloc(0), /the stream ends/],
  ['a stream without its end', pickle(dict({x: vector})).subarray(0, 40), /the stream ends/],
  ['an unknown opcode', pickle(Buffer.of(0xff)), /opcode 0xff at byte 2 is not allowed/],
  ['an instance opcode', pickle(op.mark, Buffer.from('ios\nsystem\n')), /opcode 0x69 .* is not allowed/],
  ['an empty stack', pickle(op.tuple), /no mark is open/],
  ['a memo that was never written', pickle(op.get(0xffffffff)), /memo 4294967295 is read/],
  ['a string longer than the stream', pickle(Buffer.of(0x58, 0xff, 0xff, 0xff, 0xff)), /the stream ends/],
  [
    'a string of 2^64 bytes',
    pickle(Buffer.concat([Buffer.of(0x8d), Buffer.alloc(8, 0xff)])),
    /the stream ends/,
  ],
  [
    'a key without a value',
    pickle(op.emptyDict, op.mark, op.text('a'), op.setItems),
    /a key without a value/,
  ],
  ['items set on a string', pickle(op.text('a'), op.mark, op.setItems), /something else than a dict/],
  [
    'more instructions than any model',
    pickle(Buffer.alloc(3_000_000, op.none)),
    /more than 1000000 instructions/,
  ],
  ['nested marks', pickle(Buffer.alloc(3_000_000, op.mark)), /more than 1000000 instructions/],
  ['a persistent id that is no storage', pickle(id(op.text('module'))), /no storage of a known dtype/],
  [
    'a storage of negative length',
    pickle(id(op.text('storage'), floatStorage, op.text('0'), op.none, op.int(-1))),
    /no storage/,
  ],
  [
    'a tensor of a storage that is none',
    pickle(call('torch._utils', '_rebuild_tensor_v2', op.none)),
    /a tensor is made from/,
  ],
  ['a list instead of a dict', pickle(Buffer.of(0x5d)), /expected a dict of tensors/],
  ['a tensor instead of a dict', pickle(vector), /expected a dict of tensors/],
];

for (const [title, stream, message] of damagedStreams) {
  test(`is a FileError: ${title}`, async t => {
    await t.throwsAsync(read(t, torchFile(stream, storages)), {instanceOf: FileError, message});
  });
}

test('a dict that contains itself, or spells 2^60 paths, is a FileError at once', async t => {
  const cyclic = pickle(op.emptyDict, op.put(0), op.mark, op.text('x'), op.get(0), op.setItems);
  await t.throwsAsync(read(t, torchFile(cyclic)), {instanceOf: FileError, message: /nested 16 deep/});

  const doubling = Array.from({length: 60}, (_, i) =>
    Buffer.concat([
      op.emptyDict,
      op.put(i + 1),
      op.mark,
      op.text('a'),
      op.get(i),
      op.text('b'),
      op.get(i),
      op.setItems,
    ]),
  );
  const explosive = pickle(op.emptyDict, op.put(0), ...doubling);
  await t.throwsAsync(read(t, torchFile(explosive)), {
    instanceOf: FileError,
    message: /nested 16 deep|1000000 values/,
  });
});

const badViews: readonly (readonly [title: string, view: Buffer, message: RegExp])[] = [
  [
    'transposed',
    tensor({key: '0', storageLength: 4, shape: [2, 2], strides: [1, 2]}),
    /row-major.*strides \[1, 2\].*contiguous/,
  ],
  ['expanded', tensor({key: '0', storageLength: 4, shape: [8, 4], strides: [0, 1]}), /row-major/],
  [
    'beyond its storage',
    tensor({key: '0', storageLength: 4, offset: 2, shape: [3], strides: [1]}),
    /expected 20 bytes/,
  ],
  [
    'of a storage longer than its entry',
    tensor({key: '0', storageLength: 5, shape: [5], strides: [1]}),
    /expected 20 bytes/,
  ],
  [
    'of a storage that is not there',
    tensor({key: '7', storageLength: 4, shape: [4], strides: [1]}),
    /no such entry/,
  ],
  [
    'of fewer strides than sizes',
    tensor({key: '0', storageLength: 4, shape: [4], strides: []}),
    /a tensor is made from/,
  ],
  [
    'of negative size',
    tensor({key: '0', storageLength: 4, shape: [-4], strides: [1]}),
    /a tensor is made from/,
  ],
];

for (const [title, view, message] of badViews) {
  test(`is a FileError: a tensor ${title}`, async t => {
    await t.throwsAsync(read(t, torchFile(pickle(dict({view})), storages)), {instanceOf: FileError, message});
  });
}

const data = {name: 'a/data.pkl', data: pickle(dict({step: op.int(1)}))};
const badArchives: readonly (readonly [title: string, content: Buffer, message: RegExp])[] = [
  [
    'without data.pkl',
    zip([{name: 'a/readme', data: Buffer.of(1)}]),
    /one 'data.pkl'; got a zip archive with 0/,
  ],
  ['with two models', zip([data, {...data, name: 'b/data.pkl'}]), /got a zip archive with 2/],
  ['with an entry twice', zip([data, data]), /'a\/data.pkl' is there twice/],
  ['compressed', zip([{...data, method: 8}]), /'a\/data.pkl' is compressed/],
  ['of stated sizes that differ', zip([{...data, statedSize: 2 ** 31}]), /two sizes/],
  [
    'encrypted',
    zip([{...data, encrypted: true, statedSize: data.data.length - 12}]),
    /'a\/data.pkl' is encrypted/,
  ],
  [
    'of big-endian numbers',
    zip([data, {name: 'a/byteorder', data: Buffer.from('big')}]),
    /little-endian weights; got 'big'/,
  ],
  [
    'with an oversized byteorder',
    zip([data, {name: 'a/byteorder', data: Buffer.alloc(99)}]),
    /at most 16 bytes/,
  ],
  [
    'of too many entries',
    zip(Array.from({length: 20_001}, (_, i) => ({name: `a/${i}`, data: Buffer.of()}))),
    /at most 20000/,
  ],
  ['cut off', torchFile(pickle(dict({x: vector})), storages).subarray(0, -30), /truncated or damaged/],
];

for (const [title, content, message] of badArchives) {
  test(`is a FileError: an archive ${title}`, async t => {
    await t.throwsAsync(read(t, content), {instanceOf: FileError, message});
  });
}

test('any change of bytes gives an index within the file or a FileError', async t => {
  const path = join(await tempFolder(t), 'a.bin');
  const small = torchFile(
    pickle(dict({image_proj: dict({x: vector}), ip_adapter: dict({y: vector})})),
    storages,
  );
  const published = await readFile(join(reference, 'ip-adapter.bin'));
  const pickled = published.indexOf(Buffer.from([0x80, 2]));
  const directory = published.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
  const sites = fc.oneof(
    fc.nat({max: small.length - 1}).map(at => ({sound: small, at})),
    fc.integer({min: pickled, max: pickled + 2000}).map(at => ({sound: published, at})),
    fc.integer({min: directory, max: published.length - 1}).map(at => ({sound: published, at})),
  );
  const property = fc.asyncProperty(
    sites,
    fc.uint8Array({minLength: 1, maxLength: 4}),
    fc.boolean(),
    async (site, values, cut) => {
      const content = Buffer.from(site.sound);
      content.set(values.subarray(0, content.length - site.at), site.at);
      const kept = cut ? content.subarray(0, site.at) : content;
      await writeFile(path, kept);
      try {
        for (const stored of (await readTorchIndex(path)).tensors.values()) {
          t.true(stored.byteOffset + stored.byteLength <= kept.length);
        }
      } catch (error) {
        t.true(error instanceof FileError, String(error));
      }
    },
  );
  await fc.assert(property, {numRuns: 600});
});
