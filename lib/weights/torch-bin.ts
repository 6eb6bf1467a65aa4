import {resolve} from 'node:path';
import {FileError} from '../errors.ts';
import {readBytes, withFile} from './read-file.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  formatShape,
  type StoredTensor,
  type WeightIndex,
} from './stored-tensor.ts';
import {type ByteRange, readStoredEntries} from './torch-archive.ts';
import {readTorchPickle, TorchTensor} from './torch-pickle.ts';
import {type PickleDict, PickleError, type PickleValue} from './unpickle.ts';

const MAX_PICKLE_BYTES = 32 * 2 ** 20;
/** Bounds on what is walked: a small stream can spell a dict that contains itself, or 2^64 paths. */
const MAX_DEPTH = 16;
const MAX_VALUES = 1_000_000;

/**
 * Reads what a torch `.bin`, `.ckpt` or `.pt` file (the zip format, torch 1.6 and later) holds, without
 * running any of it: names, shapes, dtypes and places of its tensors. Nested dicts give dotted names
 * (`image_proj.latents`); of a training checkpoint only `state_dict` is taken; values that are no tensors are
 * left out.
 * @throws FileError where the file is damaged, names a callable, or holds a tensor that is not contiguous.
 */
export async function readTorchIndex(path: string): Promise<WeightIndex> {
  const absolute = resolve(path);
  const entries = await readStoredEntries(absolute);
  const root = archiveRoot(absolute, entries);
  await checkByteOrder(absolute, entries.get(`${root}byteorder`));
  const pickle = await readPickle(absolute, entries.get(`${root}data.pkl`)!);

  const tensors = new Map<string, StoredTensor>();
  for (const [name, tensor] of collectTensors(absolute, pickle)) {
    tensors.set(name, locate(absolute, name, tensor, entries.get(`${root}data/${tensor.storage.key}`)));
  }
  return {path: absolute, tensors};
}

/** The folder that all entries are in: `archive/`, or the name that the file once had. */
function archiveRoot(path: string, entries: ReadonlyMap<string, ByteRange>): string {
  const roots = [...entries.keys()].filter(name => /^[^/]+\/data\.pkl$/.test(name));
  if (roots.length === 1) return roots[0]!.slice(0, -'data.pkl'.length);
  throw new FileError(
    `${path}: expected a torch weight file, which has one 'data.pkl'; got a zip archive with ` +
      `${roots.length}. If weight files are packed in it, unpack it and give one of them.`,
  );
}

async function checkByteOrder(path: string, entry: ByteRange | undefined): Promise<void> {
  if (!entry) return;
  const order = (await readRange(path, entry, 16, 'byteorder')).toString('latin1').trim();
  if (order === 'little') return;
  throw new FileError(
    `${path}: expected little-endian weights; got '${order}'. Save the weights again on an x86 or ARM ` +
      'machine.',
  );
}

async function readPickle(path: string, entry: ByteRange): Promise<PickleValue> {
  const stream = await readRange(path, entry, MAX_PICKLE_BYTES, 'data.pkl');
  try {
    return readTorchPickle(stream);
  } catch (cause) {
    if (!(cause instanceof PickleError)) throw cause;
    throw new FileError(
      `${path}: expected a pickle of tensors and dicts only; ${cause.message}. Nothing of it was run. ` +
        "If you trust the file's source, load it in Python and save its state dict as .safetensors.",
      {cause},
    );
  }
}

function readRange(
  path: string,
  {byteOffset, byteLength}: ByteRange,
  limit: number,
  what: string,
): Promise<Buffer> {
  if (byteLength > limit) {
    throw new FileError(
      `${path}: expected at most ${limit} bytes of ${what}; got ${byteLength}. This is no torch weight file.`,
    );
  }
  return withFile(path, file => readBytes(file, path, byteOffset, byteLength));
}

function collectTensors(path: string, pickle: PickleValue): Map<string, TorchTensor> {
  if (!(pickle instanceof Map)) {
    throw new FileError(
      `${path}: expected a dict of tensors; got another value. Save the state dict of the model, not ` +
        'the model itself.',
    );
  }
  const stateDict = pickle.get('state_dict');
  const tensors = new Map<string, TorchTensor>();
  let visited = 0;

  const walk = (dict: PickleDict, prefix: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw tooNested(path, `dicts nested ${MAX_DEPTH} deep`);
    for (const [key, value] of dict) {
      if (++visited > MAX_VALUES) throw tooNested(path, `${MAX_VALUES} values`);
      if (typeof key !== 'string' && typeof key !== 'number') continue;
      if (value instanceof Map) walk(value, `${prefix}${key}.`, depth + 1);
      if (!(value instanceof TorchTensor)) continue;
      const name = `${prefix}${key}`;
      if (tensors.has(name)) {
        throw new FileError(`${path}: expected tensor '${name}' once; got it twice. Rename one.`);
      }
      tensors.set(name, value);
    }
  };
  walk(stateDict instanceof Map ? stateDict : pickle, '', 1);
  return tensors;
}

function tooNested(path: string, limit: string): FileError {
  return new FileError(`${path}: expected at most ${limit}; got more. This is no torch weight file.`);
}

function locate(path: string, name: string, tensor: TorchTensor, entry: ByteRange | undefined): StoredTensor {
  const {storage, offset, shape, strides} = tensor;
  if (!tensor.isContiguous) {
    throw new FileError(
      `${path}: tensor '${name}': expected elements in row-major order; got shape ${formatShape(shape)} ` +
        `with strides ${formatShape(strides)}. Call .contiguous() on it in Python and save again.`,
    );
  }
  const elementBytes = BYTES_PER_ELEMENT[storage.dtype];
  const byteLength = elementCount(shape) * elementBytes;
  const end = offset * elementBytes + byteLength;
  if (!entry || storage.length * elementBytes > entry.byteLength || end > storage.length * elementBytes) {
    const there = entry ? `${entry.byteLength} bytes of ${storage.length} elements` : 'no such entry';
    throw new FileError(
      `${path}: tensor '${name}': expected ${end} bytes in entry 'data/${storage.key}'; got ${there}. ` +
        'The file is damaged: download it again.',
    );
  }
  return {
    name,
    shape,
    dtype: storage.dtype,
    file: path,
    byteOffset: entry.byteOffset + offset * elementBytes,
    byteLength,
  };
}
