/**
 * A batch on the device for as long as something runs on it.
 */
import type {Tensor, TensorType} from '../graph/tensor.ts';
import {type MapTree, mapTree, type Tree} from '../graph/tree.ts';
import {type HostRows, uploadRows} from '../pipelines/host-tensor.ts';
import type {Device} from '../runtime/device.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';

/** Of a batch on the host: float32, maybe in parts, or int32 as token ids are. */
export type BatchTensor =
  | HostRows
  | {readonly shape: readonly number[]; readonly data: Float32Array | Int32Array};

/** What a traced batch is made from. */
export type HostBatch<Batch> = MapTree<Batch, Tensor, BatchTensor>;
export type DeviceBatch<Batch> = MapTree<Batch, Tensor, DeviceTensor>;

export async function withBatchOn<Batch, Result>(
  device: Device,
  batch: HostBatch<Batch>,
  run: (batch: DeviceBatch<Batch>) => Promise<Result>,
): Promise<Result> {
  const uploaded: DeviceTensor[] = [];
  try {
    const inputs = mapBatch<Batch, DeviceTensor>(batch, tensor => {
      const on =
        'rows' in tensor ? uploadRows(device, tensor) : DeviceTensor.from(device, tensor.data, tensor.shape);
      uploaded.push(on);
      return on;
    });
    return await run(inputs);
  } finally {
    for (const tensor of uploaded) tensor.dispose();
  }
}

/** For plans of a step. */
export function batchTypes<Batch>(batch: HostBatch<Batch>): MapTree<Batch, Tensor, TensorType> {
  return mapBatch<Batch, TensorType>(batch, tensor => ({
    shape: tensor.shape,
    dtype: 'data' in tensor && tensor.data instanceof Int32Array ? 'int32' : 'float32',
  }));
}

function mapBatch<Batch, T>(
  batch: HostBatch<Batch>,
  map: (tensor: BatchTensor) => T,
): MapTree<Batch, Tensor, T> {
  return mapTree(batch as Tree<BatchTensor>, isBatchTensor, map) as MapTree<Batch, Tensor, T>;
}

function isBatchTensor(value: unknown): value is BatchTensor {
  return (
    typeof value === 'object' && value !== null && 'shape' in value && ('data' in value || 'rows' in value)
  );
}
