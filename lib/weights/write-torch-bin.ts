import {ArgumentError} from '../errors.ts';
import {writeWholeFile} from '../files/write-whole-file.ts';
import type {StoredDType} from './stored-tensor.ts';
import {checkedByteLength, type TensorData} from './write-safetensors.ts';
import {type StoredEntry, zipParts} from './zip-writer.ts';

/** torch's names for the storages that hold a dtype. */
const STORAGES: Partial<Record<StoredDType, string>> = {
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
};

/**
 * Writes a torch file (`.bin`) of named groups of tensors, which `torch.load(path, weights_only=True)` gives back as dicts
 * in a dict: the layout of published IP-Adapters, with the groups `image_proj` and `ip_adapter`. The file appears whole or
 * not at all.
 * @throws ArgumentError for a dtype that is none of float32, float16 and bfloat16, or where data and shape disagree;
 * FileError where the disk is full or the folder cannot be written.
 */
export async function writeTorchBin(
  path: string,
  groups: ReadonlyMap<string, ReadonlyMap<string, TensorData>>,
): Promise<void> {
  const storages: StoredEntry[] = [];
  const pickled = [...groups].map(([group, tensors]) => {
    const items = [...tensors].map(([name, tensor]) => {
      const key = String(storages.length);
      storages.push({name: `archive/data/${key}`, data: bytesOf(tensor.data)});
      return [name, pickleTensor(name, tensor, key)] as const;
    });
    return [group, dict(items)] as const;
  });
  const entries = [
    {name: 'archive/data.pkl', data: Buffer.concat([PROTOCOL_2, dict(pickled), STOP])},
    {name: 'archive/byteorder', data: Buffer.from('little')},
    ...storages,
    {name: 'archive/version', data: Buffer.from('3\n')},
  ];
  await writeWholeFile(path, zipParts(entries));
}

function bytesOf({buffer, byteOffset, byteLength}: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** A contiguous view of the storage `data/<key>`, as torch's `_rebuild_tensor_v2` takes it. */
function pickleTensor(name: string, tensor: TensorData, key: string): Buffer {
  checkedByteLength(name, tensor);
  const {shape, dtype} = tensor;
  const storage = STORAGES[dtype];
  if (storage === undefined) {
    throw new ArgumentError(
      `tensors: '${name}': expected ${Object.keys(STORAGES).join(', ')}; got ${dtype}. Convert it first.`,
    );
  }
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const elements = shape.reduce((a, b) => a * b, 1);
  const place = [text('storage'), global('torch', storage), text(key), text('cpu'), int(elements)];
  const hooks = Buffer.concat([global('collections', 'OrderedDict'), EMPTY_TUPLE, REDUCE]);
  const view = [int(0), tuple(shape.map(int)), tuple(strides.map(int)), FALSE, hooks];
  const args = tuple([Buffer.concat([tuple(place), PERSISTENT_ID]), ...view]);
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, REDUCE]);
}

// Pickle's protocol 2 (PEP 307), as far as a state dict needs it.
const PROTOCOL_2 = Buffer.from([0x80, 2]);
const STOP = Buffer.from('.');
const MARK = Buffer.from('(');
const TUPLE = Buffer.from('t');
const EMPTY_TUPLE = Buffer.from(')');
const EMPTY_DICT = Buffer.from('}');
const SET_ITEMS = Buffer.from('u');
const REDUCE = Buffer.from('R');
const PERSISTENT_ID = Buffer.from('Q');
const FALSE = Buffer.from([0x89]);

function dict(items: readonly (readonly [string, Buffer])[]): Buffer {
  return Buffer.concat([
    EMPTY_DICT,
    MARK,
    ...items.flatMap(([name, value]) => [text(name), value]),
    SET_ITEMS,
  ]);
}

function tuple(items: readonly Buffer[]): Buffer {
  return Buffer.concat([MARK, ...items, TUPLE]);
}

function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const head = Buffer.from('X\0\0\0\0');
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function int(value: number): Buffer {
  const bytes = Buffer.from('J\0\0\0\0');
  bytes.writeInt32LE(value, 1);
  return bytes;
}
