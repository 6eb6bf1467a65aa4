import {FileError} from '../../errors.ts';
import {readTensor} from '../../weights/read-tensor.ts';
import {openWeightFile} from '../../weights/weight-file.ts';

/**
 * The tensor `latents` of a safetensors file.
 *
 * @throws FileError where the file cannot be read or has no such tensor
 */
export async function readLatents(path: string): Promise<Float32Array> {
  const {tensors} = await openWeightFile(path);
  const stored = tensors.get('latents');
  if (stored !== undefined) return readTensor(stored);
  throw new FileError(
    `${path}: expected a tensor 'latents', got ${[...tensors.keys()].slice(0, 5).join(', ') || 'no tensors'}.`,
  );
}
