import type {StoredTensor, WeightIndex} from '../../lib/weights/stored-tensor.ts';

/** Tensors of given shapes in a file that need not exist: names and shapes are all that name mapping looks at. */
export function tensorMap(shapes: Readonly<Record<string, readonly number[]>>): Map<string, StoredTensor> {
  return new Map(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      {name, shape, dtype: 'float32', file: '/none', byteOffset: 0, byteLength: 0},
    ]),
  );
}

export function weightIndex(shapes: Readonly<Record<string, readonly number[]>>): WeightIndex {
  return {path: '/none', tensors: tensorMap(shapes)};
}
