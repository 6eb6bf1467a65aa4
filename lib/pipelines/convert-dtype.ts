import {float32ToFloat16} from '../runtime/float-conversion.ts';
import {readStored, readTensor} from '../weights/read-tensor.ts';
import type {StoredTensor} from '../weights/stored-tensor.ts';
import type {TensorData} from '../weights/write-safetensors.ts';

/** What weights may be written as. */
export type WrittenDType = 'float32' | 'float16';

/**
 * A stored tensor to be written again, in its own dtype or another.
 *
 * @throws FileError where the file has gone or shrunk since it was indexed
 */
export async function readAs(tensor: StoredTensor, dtype?: WrittenDType | undefined): Promise<TensorData> {
  const {shape} = tensor;
  if (dtype === undefined || dtype === tensor.dtype) {
    return {shape, dtype: tensor.dtype, data: await readStored(tensor)};
  }
  const values = await readTensor(tensor);
  return {shape, dtype, data: dtype === 'float16' ? float32ToFloat16(values) : values};
}
