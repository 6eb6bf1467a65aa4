/**
 * Weights as tensors.
 */
import {InternalError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import {FileWeights} from './file-weights.ts';
import {HostWeights} from './host-weights.ts';

/** A traced parameter until it is disposed: mapped as its file has it, or copied from the host's memory. */
export function mapWeight(device: Device, tensor: Tensor): DeviceTensor {
  const {node, shape, dtype} = tensor;
  if (node.kind === 'parameter' && node.source instanceof HostWeights) {
    return DeviceTensor.from(device, node.source.weight(node.name).data, shape);
  }
  if (node.kind === 'parameter' && node.source instanceof FileWeights) {
    const {file, byteOffset} = node.source.stored(node.name);
    return device.mapTensor(file, byteOffset, {shape, dtype});
  }
  throw new InternalError('a program reads something other than weights.');
}
