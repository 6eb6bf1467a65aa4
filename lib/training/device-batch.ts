/**
 * A batch on the device for as long as something runs on it.
 */
import type {Tensor} from '../graph/tensor.ts';
import {type MapTree, mapTree, type Tree} from '../graph/tree.ts';
import {type HostTensor, upload} from '../pipelines/host-tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import type {AdapterBatch} from './adapter-gradients.ts';
import type {EncodedBatch} from './batches/encode-batch.ts';

export type DeviceBatch = MapTree<AdapterBatch, Tensor, DeviceTensor>;

export async function withBatchOn<Result>(
  device: Device,
  batch: EncodedBatch,
  run: (batch: DeviceBatch) => Promise<Result>,
): Promise<Result> {
  const uploaded: DeviceTensor[] = [];
  try {
    const inputs = mapBatch(batch, tensor => {
      const on = upload(device, tensor);
      uploaded.push(on);
      return on;
    });
    return await run(inputs);
  } finally {
    for (const tensor of uploaded) tensor.dispose();
  }
}

/** The batch with something in the place of each tensor. */
export function mapBatch<T>(
  batch: EncodedBatch,
  map: (tensor: HostTensor) => T,
): MapTree<AdapterBatch, Tensor, T> {
  return mapTree(batch as unknown as Tree<HostTensor>, isHostTensor, map) as MapTree<AdapterBatch, Tensor, T>;
}

function isHostTensor(value: unknown): value is HostTensor {
  return typeof value === 'object' && value !== null && 'data' in value && 'shape' in value;
}
