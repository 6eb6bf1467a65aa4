/** Builds torch weight files, sound and unsound ones, byte by byte. */

const bytes = (...values: number[]): Buffer => Buffer.from(values);

/** Pickle opcodes with their arguments. */
export const op = {
  proto: bytes(0x80, 2),
  stop: bytes(0x2e),
  mark: bytes(0x28),
  emptyDict: bytes(0x7d),
  emptyTuple: bytes(0x29),
  setItems: bytes(0x75),
  tuple: bytes(0x74),
  reduce: bytes(0x52),
  build: bytes(0x62),
  none: bytes(0x4e),
  persistentId: bytes(0x51),
  stackGlobal: bytes(0x93),
  put: (index: number): Buffer => withUint32(0x72, index),
  get: (index: number): Buffer => withUint32(0x6a, index),
  global: (module: string, name: string): Buffer => Buffer.from(`c${module}\n${name}\n`),
  text: (value: string): Buffer =>
    Buffer.concat([withUint32(0x58, Buffer.byteLength(value)), Buffer.from(value)]),
  int: (value: number): Buffer => {
    const buffer = bytes(0x4a, 0, 0, 0, 0);
    buffer.writeInt32LE(value, 1);
    return buffer;
  },
};

function withUint32(opcode: number, value: number): Buffer {
  const buffer = bytes(opcode, 0, 0, 0, 0);
  buffer.writeUInt32LE(value, 1);
  return buffer;
}

/** A whole stream around its instructions. */
export function pickle(...instructions: Buffer[]): Buffer {
  return Buffer.concat([op.proto, ...instructions, op.stop]);
}

export function tuple(...items: Buffer[]): Buffer {
  return Buffer.concat([op.mark, ...items, op.tuple]);
}

export function dict(items: Readonly<Record<string, Buffer>>): Buffer {
  const pairs = Object.entries(items).flatMap(([name, value]) => [op.text(name), value]);
  return Buffer.concat([op.emptyDict, op.mark, ...pairs, op.setItems]);
}

/** A call as `torch.save` writes it. */
export function call(module: string, name: string, ...args: Buffer[]): Buffer {
  return Buffer.concat([op.global(module, name), tuple(...args), op.reduce]);
}

export interface PickledTensor {
  readonly key: string;
  readonly storage?: string;
  readonly storageLength: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A tensor as `torch.save` writes it: a view of the storage `data/<key>`. */
export function tensor(options: PickledTensor): Buffer {
  const {key, storage = 'FloatStorage', storageLength, offset = 0, shape, strides} = options;
  const id = tuple(
    op.text('storage'),
    op.global('torch', storage),
    op.text(key),
    op.text('cpu'),
    op.int(storageLength),
  );
  const view = [op.int(offset), tuple(...shape.map(op.int)), tuple(...strides.map(op.int))];
  const hooks = Buffer.concat([op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce]);
  return call('torch._utils', '_rebuild_tensor_v2', id, op.persistentId, ...view, bytes(0x89), hooks);
}

export interface ZipEntry {
  readonly name: string;
  readonly data: Buffer;
  /** 0: stored, 8: deflated. */
  readonly method?: number;
  readonly encrypted?: boolean;
  readonly statedSize?: number;
}

/** A zip archive with its entries as they are given; checksums are left at zero. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const local = Buffer.concat([localHeader(entry, name), name, entry.data]);
    centrals.push(centralHeader(entry, name, offset), name);
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

function localHeader(entry: ZipEntry, name: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  writeCommon(header, 4, entry, name);
  return header;
}

function centralHeader(entry: ZipEntry, name: Buffer, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  writeCommon(header, 6, entry, name);
  header.writeUInt32LE(offset, 42);
  return header;
}

/** The fields that both headers have, from "version needed" on. */
function writeCommon(
  header: Buffer,
  at: number,
  {data, method = 0, encrypted, statedSize}: ZipEntry,
  name: Buffer,
): void {
  header.writeUInt16LE(20, at);
  header.writeUInt16LE(encrypted ? 1 : 0, at + 2);
  header.writeUInt16LE(method, at + 4);
  header.writeUInt32LE(data.length, at + 14);
  header.writeUInt32LE(statedSize ?? data.length, at + 18);
  header.writeUInt16LE(name.length, at + 22);
}

/** A torch weight file around a pickle stream and its storages. */
export function torchFile(stream: Buffer, storages: Readonly<Record<string, Buffer>> = {}): Buffer {
  const data = Object.entries(storages).map(([key, content]) => ({
    name: `archive/data/${key}`,
    data: content,
  }));
  return zip([
    {name: 'archive/data.pkl', data: stream},
    {name: 'archive/byteorder', data: Buffer.from('little')},
    ...data,
  ]);
}

export function floats(...values: number[]): Buffer {
  return Buffer.from(Float32Array.from(values).buffer);
}
