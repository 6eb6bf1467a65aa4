import {elementCount, type StoredDType} from './stored-tensor.ts';
import {
  PickleError,
  PickleGlobal,
  type PickleHost,
  PickleObject,
  type PickleValue,
  unpickle,
} from './unpickle.ts';

/** A run of elements in the entry `data/<key>` of the archive. */
export class TorchStorage extends PickleObject {
  readonly kind = 'storage';
  readonly key: string;
  readonly dtype: StoredDType;
  /** Elements, not bytes. */
  readonly length: number;

  constructor(key: string, dtype: StoredDType, length: number) {
    super();
    this.key = key;
    this.dtype = dtype;
    this.length = length;
  }
}

/** A view of a storage. Offset and strides count elements. */
export class TorchTensor extends PickleObject {
  readonly kind = 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /** True where the elements lie row-major, back to back. */
  get isContiguous(): boolean {
    if (elementCount(this.shape) === 0) return true;
    let step = 1;
    for (let i = this.shape.length - 1; i >= 0; i--) {
      // The stride of an axis of length 1 is never used, and torch leaves anything there.
      if (this.shape[i] !== 1 && this.strides[i] !== step) return false;
      step *= this.shape[i]!;
    }
    return true;
  }
}

const STORAGE_DTYPES: Readonly<Record<string, StoredDType>> = {
  'torch.DoubleStorage': 'float64',
  'torch.FloatStorage': 'float32',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};

/** Everything that a weight file may name. Python's torch has its own such list, for `weights_only=True`. */
const ALLOWED_GLOBALS: ReadonlyMap<string, PickleGlobal> = new Map(
  [
    new PickleGlobal('collections.OrderedDict', makeOrderedDict),
    new PickleGlobal('torch.Size', ([sizes]) => sizes ?? null),
    new PickleGlobal('torch._utils._rebuild_tensor_v2', rebuildTensor),
    new PickleGlobal('torch._utils._rebuild_parameter', ([data]) => data ?? null),
    ...Object.keys(STORAGE_DTYPES).map(name => new PickleGlobal(name)),
  ].map(global => [global.name, global]),
);

const host: PickleHost = {
  findGlobal(name) {
    const global = ALLOWED_GLOBALS.get(name);
    if (!global) throw new PickleError(`it names '${name}', which is no part of a weight file`);
    return global;
  },
  loadPersistent: loadStorage,
};

/**
 * Reads the `data.pkl` of a torch archive as data; tensors become views of storages that are not loaded.
 * @throws PickleError where the stream is damaged or names anything but tensors and dicts.
 */
export function readTorchPickle(stream: Uint8Array): PickleValue {
  return unpickle(stream, host);
}

function makeOrderedDict(args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw new PickleError('an OrderedDict is made from arguments');
  return new Map();
}

/**
 * `_rebuild_tensor_v2(storage, storage_offset, size, stride, requires_grad, backward_hooks, metadata=None)`.
 */
function rebuildTensor(args: readonly PickleValue[]): PickleValue {
  const [storage, offset, shape, strides, , , metadata] = args;
  const isTensor =
    storage instanceof TorchStorage &&
    isSize(offset) &&
    isSizes(shape) &&
    isSizes(strides) &&
    shape.length === strides.length;
  if (!isTensor) {
    throw new PickleError('a tensor is made from something else than storage, offset, size and stride');
  }
  // Such as the lazy negation bit, with which the stored values are not the tensor's.
  if (metadata instanceof Map && metadata.size > 0) {
    throw new PickleError('a tensor has lazy conjugation or negation');
  }
  return new TorchTensor(storage, offset, shape, strides);
}

/** A persistent id is `('storage', class, key, device, length)`. */
function loadStorage(id: PickleValue): PickleValue {
  const [tag, type, key, , length] = Array.isArray(id) ? id : [];
  const dtype = type instanceof PickleGlobal ? STORAGE_DTYPES[type.name] : undefined;
  if (tag !== 'storage' || !dtype || typeof key !== 'string' || !isSize(length)) {
    throw new PickleError('a persistent id is no storage of a known dtype');
  }
  return new TorchStorage(key, dtype, length);
}

function isSize(value: PickleValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.every(isSize);
}
