import {resolve} from 'node:path';
import {FileError} from '../errors.ts';
import {firstRepeatedName} from './json-members.ts';
import {readBytes, withFile} from './read-file.ts';
import {toFloat32} from './read-tensor.ts';
import {
  BYTES_PER_ELEMENT,
  elementCount,
  formatShape,
  type StoredDType,
  type StoredTensor,
  type WeightIndex,
} from './stored-tensor.ts';

/** The format's own names of element types that this package can store. */
export const SAFETENSORS_DTYPES: Readonly<Record<StoredDType, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
};

const DTYPE_OF_NAME: ReadonlyMap<unknown, StoredDType> = new Map(
  Object.entries(SAFETENSORS_DTYPES).map(([dtype, name]) => [name, dtype as StoredDType]),
);

/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;
const LENGTH_BYTES = 8;

type Json = Record<string, unknown>;

/** What a file holds. */
export interface SafetensorsContent {
  readonly tensors: ReadonlyMap<string, {readonly shape: readonly number[]; readonly data: Float32Array}>;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads the header of a `.safetensors` file: names, shapes, dtypes and places of its tensors. As strict as
 * the format (https://github.com/huggingface/safetensors, "Format"): tensors lie back to back and fill the
 * file exactly.
 * @throws FileError where the file is truncated, or its header is damaged or lies about sizes.
 */
export async function readSafetensorsIndex(path: string): Promise<WeightIndex> {
  const absolute = resolve(path);
  return withFile(absolute, async (file, fileSize) => {
    const start = await readBytes(file, absolute, 0, Math.min(fileSize, LENGTH_BYTES));
    const length = headerLength(absolute, start, fileSize);
    return indexOf(absolute, await readBytes(file, absolute, LENGTH_BYTES, length), fileSize);
  });
}

/**
 * A whole `.safetensors` file from its bytes, as float32.
 *
 * @param path for messages
 * @throws FileError as above
 */
export function parseSafetensors(path: string, bytes: Uint8Array): SafetensorsContent {
  const length = headerLength(path, bytes.subarray(0, LENGTH_BYTES), bytes.length);
  const header = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length);
  const {tensors, metadata} = indexOf(path, header, bytes.length);
  const dataOf = ({byteOffset, byteLength, dtype}: StoredTensor) =>
    toFloat32(bytes.subarray(byteOffset, byteOffset + byteLength), dtype);
  return {
    tensors: new Map(
      [...tensors].map(([name, stored]) => [name, {shape: stored.shape, data: dataOf(stored)}]),
    ),
    metadata,
  };
}

/** @param header the JSON, which the data follow */
function indexOf(path: string, header: Uint8Array, fileSize: number): WeightIndex {
  const {__metadata__: metadata, ...entries} = parseHeader(path, utf8(header));
  const dataStart = LENGTH_BYTES + header.length;

  const tensors = Object.entries(entries).map(([name, entry]) => parseEntry(path, name, entry, dataStart));
  checkLayout(path, tensors, dataStart, fileSize);
  return {
    path,
    tensors: new Map(tensors.map(tensor => [tensor.name, tensor])),
    ...(metadata === undefined ? {} : {metadata: parseMetadata(path, metadata)}),
  };
}

/** @param start the first bytes of the file */
function headerLength(path: string, start: Uint8Array, fileSize: number): number {
  if (start.length < LENGTH_BYTES) {
    const expected = `a safetensors header of at least ${LENGTH_BYTES} bytes`;
    throw truncated(path, expected, `${fileSize} bytes in all`);
  }
  const length = Number(new DataView(start.buffer, start.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    throw damaged(path, `a header of at most ${MAX_HEADER_BYTES} bytes`, `a stated length of ${length}`);
  }
  if (LENGTH_BYTES + length > fileSize) {
    throw truncated(path, `a header of ${length} bytes`, `a file of ${fileSize} bytes`);
  }
  return length;
}

function utf8({buffer, byteOffset, length}: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('utf8');
}

function parseHeader(path: string, header: string): Json {
  let json: unknown;
  try {
    json = JSON.parse(header);
  } catch (cause) {
    throw damaged(path, 'a header in JSON', (cause as Error).message, {cause});
  }
  if (!isObject(json)) throw damaged(path, 'a JSON object as header', 'another JSON value');
  const repeated = firstRepeatedName(header);
  if (repeated !== undefined) throw damaged(path, 'every tensor once', `'${repeated}' more than once`);
  return json;
}

function parseMetadata(path: string, metadata: unknown): Readonly<Record<string, string>> {
  if (isObject(metadata) && Object.values(metadata).every(value => typeof value === 'string')) {
    return metadata as Record<string, string>;
  }
  throw damaged(path, "an object of strings as '__metadata__'", brief(metadata));
}

function parseEntry(path: string, name: string, entry: unknown, dataStart: number): StoredTensor {
  const where = `tensor '${name}'`;
  if (!isObject(entry)) throw damaged(path, `dtype, shape and data_offsets of ${where}`, 'no JSON object');
  const dtype = DTYPE_OF_NAME.get(entry['dtype']);
  if (!dtype) {
    const known = [...DTYPE_OF_NAME.keys()].join(', ');
    throw new FileError(
      `${path}: ${where}: expected a dtype out of ${known}; got ${brief(entry['dtype'])}. ` +
        'Save the weights as float16, bfloat16 or float32.',
    );
  }
  const {shape, data_offsets: offsets} = entry;
  if (!isSizes(shape)) throw damaged(path, `a list of sizes as shape of ${where}`, brief(shape));
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw damaged(path, `data_offsets [begin, end] of ${where}`, brief(offsets));
  }
  const [begin, end] = offsets as [number, number];
  const byteLength = elementCount(shape) * BYTES_PER_ELEMENT[dtype];
  if (end - begin !== byteLength) {
    const layout = `${dtype} ${formatShape(shape)}`;
    throw damaged(
      path,
      `${byteLength} bytes for ${where}, which is ${layout}`,
      `a range of ${end - begin} bytes`,
    );
  }
  return {name, shape, dtype, file: path, byteOffset: dataStart + begin, byteLength};
}

/** Back to back from the header to the end of the file: no hole, no overlap, nothing outside. */
function checkLayout(
  path: string,
  tensors: readonly StoredTensor[],
  dataStart: number,
  fileSize: number,
): void {
  let end = dataStart;
  for (const tensor of tensors.toSorted(
    (a, b) => a.byteOffset - b.byteOffset || a.byteLength - b.byteLength,
  )) {
    if (tensor.byteOffset !== end) {
      const fault = tensor.byteOffset < end ? 'an overlap with the tensor before it' : 'a hole before it';
      throw damaged(path, `tensor '${tensor.name}' at byte ${end - dataStart} of the data`, fault);
    }
    end += tensor.byteLength;
  }
  if (end > fileSize) throw truncated(path, `${end} bytes, as its header says`, `${fileSize}`);
  if (end < fileSize) throw damaged(path, `${end} bytes, as its header says`, `${fileSize}`);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(size => Number.isSafeInteger(size) && size >= 0);
}

/** The start of a JSON value, for messages. */
function brief(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60);
}

function damaged(path: string, expected: string, got: string, options?: ErrorOptions): FileError {
  return new FileError(
    `${path}: expected ${expected}; got ${got}. The safetensors file is damaged: download or save it again.`,
    options,
  );
}

function truncated(path: string, expected: string, got: string): FileError {
  return new FileError(
    `${path}: expected ${expected}; got ${got}. The file is truncated: download it again.`,
  );
}
