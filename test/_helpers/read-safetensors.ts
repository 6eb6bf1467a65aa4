import {readFileSync} from 'node:fs';

/** A tensor of a fixture; int64 values must fit in a double. */
export interface FixtureTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Reads a small safetensors fixture of F32 and I64 tensors, independently of the package's own reader. */
export function readSafetensors(path: string | URL): Record<string, FixtureTensor> {
  const file = readFileSync(path);
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, HeaderEntry> = JSON.parse(file.toString('utf8', 8, headerEnd));
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return Object.fromEntries(
    tensors.map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => {
        const bytes = file.subarray(headerEnd + begin, headerEnd + end);
        return [name, {shape, data: decode(dtype, bytes)}];
      },
    ),
  );
}

function decode(dtype: string, bytes: Buffer): Float32Array {
  switch (dtype) {
    case 'F32':
      return Float32Array.from({length: bytes.length / 4}, (_, i) => bytes.readFloatLE(i * 4));
    case 'I64':
      return Float32Array.from({length: bytes.length / 8}, (_, i) => Number(bytes.readBigInt64LE(i * 8)));
    default:
      throw new Error(`readSafetensors: expected dtype F32 or I64; got ${dtype}.`);
  }
}
