/**
 * Weights in their files as tensors.
 */
import {InternalError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import {FileWeights} from './file-weights.ts';

/** A traced parameter as its file has it, mapped until it is disposed. */
export function mapWeight(device: Device, tensor: Tensor): DeviceTensor {
  const {node} = tensor;
  if (node.kind !== 'parameter' || !(node.source instanceof FileWeights)) {
    throw new InternalError('a program reads something other than weights in a file.');
  }
  const stored = node.source.stored(node.name);
  return device.mapTensor(stored.file, stored.byteOffset, {shape: tensor.shape, dtype: tensor.dtype});
}
