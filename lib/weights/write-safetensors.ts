import {ArgumentError} from '../errors.ts';
import {type WriteOptions, writeWholeFile} from '../files/write-whole-file.ts';
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
  options?: WriteOptions,
): Promise<void> {
  const ordered = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      BYTES_PER_ELEMENT[b.dtype] - BYTES_PER_ELEMENT[a.dtype] || (nameA < nameB ? -1 : 1),
  );
  const header = encodeHeader(ordered, metadata);
  await writeWholeFile(path, [header, ...ordered.map(([, tensor]) => tensor.data)], options);
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

export function checkedByteLength(name: string, {shape, dtype, data}: TensorData): number {
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
