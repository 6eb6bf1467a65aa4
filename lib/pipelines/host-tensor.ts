/**
 * float32 tensors on the host: what passes between the models of a pipeline.
 */
import type {Device} from '../runtime/device.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import type {DType} from '../runtime/dtype.ts';

/** Dense, row-major. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor that is to go to a device, in parts: the rows of its first axis. */
export interface HostRows {
  readonly shape: readonly number[];
  readonly rows: readonly Float32Array[];
}

/** Copies a host tensor to the device, rounded to another dtype where one is named. */
export function upload(device: Device, {shape, data}: HostTensor, dtype?: DType): DeviceTensor {
  return DeviceTensor.from(device, data, shape, dtype);
}

/** Copies a tensor in parts to the device. */
export function uploadRows(device: Device, {shape, rows}: HostRows): DeviceTensor {
  return DeviceTensor.fromRows(device, rows, shape);
}

/** Copies a device tensor to the host and frees it. */
export async function download(tensor: DeviceTensor): Promise<HostTensor> {
  try {
    return {shape: tensor.shape, data: await tensor.toFloat32Array()};
  } finally {
    tensor.dispose();
  }
}

/** The rows `indices` of the first axis, in that order; a row may be taken more than once. */
export function gatherRows({shape, data}: HostTensor, indices: readonly number[]): HostTensor {
  const rowSize = data.length / shape[0]!;
  const rows = new Float32Array(indices.length * rowSize);
  for (const [row, index] of indices.entries()) {
    rows.set(data.subarray(index * rowSize, (index + 1) * rowSize), row * rowSize);
  }
  return {shape: [indices.length, ...shape.slice(1)], data: rows};
}

/** The rows, [1, …] each: views, so that one that is kept keeps the memory of all. */
export function splitRows({shape, data}: HostTensor): HostTensor[] {
  const [count, ...extents] = shape as [number, ...number[]];
  const rowSize = data.length / count;
  return Array.from({length: count}, (_, row) => ({
    shape: [1, ...extents],
    data: data.subarray(row * rowSize, (row + 1) * rowSize),
  }));
}

/** Joins tensors of equal rows along the first axis. */
export function stackRows(tensors: readonly HostTensor[]): HostTensor {
  const data = new Float32Array(tensors.reduce((sum, tensor) => sum + tensor.data.length, 0));
  let offset = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, offset);
    offset += tensor.data.length;
  }
  const rows = tensors.reduce((sum, tensor) => sum + tensor.shape[0]!, 0);
  return {shape: [rows, ...tensors[0]!.shape.slice(1)], data};
}

/** Rows, [1, …] each, as one tensor without a copy. */
export function rowsOf(rows: readonly HostTensor[]): HostRows {
  return {shape: [rows.length, ...rows[0]!.shape.slice(1)], rows: rows.map(({data}) => data)};
}

/** Joins [B, C, …] tensors of equal batch and space along channels. */
export function joinChannels(a: HostTensor, b: HostTensor): HostTensor {
  const [batch, channels, ...space] = a.shape as [number, number, ...number[]];
  const [sizeA, sizeB] = [a.data.length / batch, b.data.length / batch];
  const data = new Float32Array(a.data.length + b.data.length);
  for (let row = 0; row < batch; row++) {
    data.set(a.data.subarray(row * sizeA, (row + 1) * sizeA), row * (sizeA + sizeB));
    data.set(b.data.subarray(row * sizeB, (row + 1) * sizeB), row * (sizeA + sizeB) + sizeA);
  }
  return {shape: [batch, channels + b.shape[1]!, ...space], data};
}
