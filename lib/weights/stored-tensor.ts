/** Element types of stored tensors, by their PyTorch names. */
export type StoredDType =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint64'
  | 'uint32'
  | 'uint16'
  | 'uint8'
  | 'bool';

/** Bytes of one element. */
export const BYTES_PER_ELEMENT: Readonly<Record<StoredDType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint64: 8,
  uint32: 4,
  uint16: 2,
  uint8: 1,
  bool: 1,
};

/**
 * Where a tensor lies: `byteLength` bytes of `file` from `byteOffset`, row-major and little-endian. Nothing
 * is loaded. The offset may be odd: old files do not align their tensors.
 */
export interface StoredTensor {
  /** The name in the file, whatever a model calls it. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: StoredDType;
  /** Absolute path. */
  readonly file: string;
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** Tensors by name. */
export type TensorMap = ReadonlyMap<string, StoredTensor>;

/** What a weight file (or the files of a sharded model) holds. */
export interface WeightIndex {
  /** The file or folder that was opened. */
  readonly path: string;
  readonly tensors: TensorMap;
  /** Free-form strings of a safetensors header. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Elements of a tensor of this shape; the empty shape is a scalar. */
export function elementCount(shape: readonly number[]): number {
  // First, as a product that has run to Infinity would be NaN times 0.
  return shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
}

/** A shape as error messages print it: `[2, 3]`. */
export function formatShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
