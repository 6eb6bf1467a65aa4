import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {ArgumentError, FileError} from '../errors.ts';
import {SAFETENSORS_DTYPES} from './safetensors.ts';
import {BYTES_PER_ELEMENT, elementCount, formatShape, type StoredDType} from './stored-tensor.ts';

/** A tensor to be written: its elements, row-major, in the byte layout of its dtype. */
export interface TensorData {
  readonly shape: readonly number[];
  readonly dtype: StoredDType;
  /** A Float32Array for float32, a Uint16Array of bit patterns for float16 and bfloat16, and so on. */
  readonly data: ArrayBufferView;
}

/**
 * Writes a `.safetensors` file, as the reference writer lays it out: wide dtypes first, then by name, data
 * aligned to 8 bytes. The file appears whole or not at all: it is written beside its place, flushed to the
 * disk, then renamed.
 * @throws ArgumentError where data and shape disagree; FileError where the disk is full or the folder cannot
 * be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, TensorData>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype] || (nameA < nameB ? -1 : 1),
  );
  const header = encodeHeader(ordered, metadata);
  const partial = `${path}.partial-${process.pid}`;
  try {
    await writeParts(partial, [header, ...ordered.map(([, tensor]) => tensor.data)]);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, {force: true});
    throw new FileError(
      `${path}: cannot be written: ${(cause as Error).message}. Check that the folder exists and has room.`,
      {cause},
    );
  }
}

/** The length of the header and the header itself, padded with blanks so that the data are aligned. */
function encodeHeader(
  tensors: readonly (readonly [string, TensorData])[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  let end = 0;
  const entries = tensors.map(([name, {shape, dtype, data}]) => {
    const begin = end;
    end += checkedByteLength(name, {shape, dtype, data});
    return [name, {dtype: SAFETENSORS_DTYPES[dtype], shape, data_offsets: [begin, end]}];
  });
  const all = metadata ? [['__metadata__', metadata], ...entries] : entries;
  const json = Buffer.from(JSON.stringify(Object.fromEntries(all)));
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, ' ');
  header.writeBigUInt64LE(BigInt(header.length - 8));
  header.set(json, 8);
  return header;
}

function checkedByteLength(name: string, {shape, dtype, data}: TensorData): number {
  if (name === '__metadata__') {
    throw new ArgumentError(
      `tensors: expected names of tensors; got '__metadata__', which the format reserves.`,
    );
  }
  const expected = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
  if (data.byteLength !== expected) {
    throw new ArgumentError(
      `tensors: '${name}': expected ${expected} bytes for ${dtype} ${formatShape(shape)}; got ` +
        `${data.byteLength}.`,
    );
  }
  return expected;
}

async function writeParts(path: string, parts: readonly ArrayBufferView[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of parts) await writeAll(file, part);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** `write` may take less than it is given, above 2 GiB always. */
async function writeAll(file: FileHandle, part: ArrayBufferView): Promise<void> {
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  let done = 0;
  while (done < bytes.length)
    done += (await file.write(bytes, done, Math.min(bytes.length - done, 2 ** 30))).bytesWritten;
}
