import {float16ToFloat32} from './float16.ts';
import {readBytes, withFile} from './read-file.ts';
import {BYTES_PER_ELEMENT, type StoredDType, type StoredTensor} from './stored-tensor.ts';

type ReadElement = (view: DataView, byteOffset: number) => number;

const READ_ELEMENT: Readonly<Record<StoredDType, ReadElement>> = {
  float64: (view, at) => view.getFloat64(at, true),
  float32: (view, at) => view.getFloat32(at, true),
  float16: (view, at) => float16ToFloat32(view.getUint16(at, true)),
  bfloat16: (view, at) => bfloat16ToFloat32(view.getUint16(at, true)),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  int32: (view, at) => view.getInt32(at, true),
  int16: (view, at) => view.getInt16(at, true),
  int8: (view, at) => view.getInt8(at),
  uint64: (view, at) => Number(view.getBigUint64(at, true)),
  uint32: (view, at) => view.getUint32(at, true),
  uint16: (view, at) => view.getUint16(at, true),
  uint8: (view, at) => view.getUint8(at),
  bool: (view, at) => view.getUint8(at),
};

/**
 * Reads one tensor into memory as float32, for small uses; models take their weights by mapping the file.
 * Values that float32 cannot hold (float64, large integers) are rounded.
 * @throws FileError where the file has gone or shrunk since it was indexed.
 */
export async function readTensor(tensor: StoredTensor): Promise<Float32Array> {
  return toFloat32(await readStored(tensor), tensor.dtype);
}

/**
 * Reads one tensor's bytes as they are in its file.
 * @throws FileError where the file has gone or shrunk since it was indexed.
 */
export function readStored({file: path, byteOffset, byteLength}: StoredTensor): Promise<Buffer> {
  return withFile(path, file => readBytes(file, path, byteOffset, byteLength));
}

/** Converts little-endian elements of a dtype to float32. */
export function toFloat32(bytes: Uint8Array, dtype: StoredDType): Float32Array {
  // Every processor that the addon is built for is little-endian, too.
  if (dtype === 'float32') return new Float32Array(new Uint8Array(bytes).buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = BYTES_PER_ELEMENT[dtype];
  const readElement = READ_ELEMENT[dtype];
  const values = new Float32Array(bytes.byteLength / size);
  for (let i = 0; i < values.length; i++) values[i] = readElement(view, i * size);
  return values;
}

const scratch = new DataView(new ArrayBuffer(4));

/** A bfloat16 is the upper half of a float32. */
function bfloat16ToFloat32(bits: number): number {
  scratch.setUint32(0, bits * 0x10000);
  return scratch.getFloat32(0);
}
