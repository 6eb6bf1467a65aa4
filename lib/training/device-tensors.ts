/**
 * Tensors on a device by the names of weights.
 */
import {type HostTensor, upload} from '../pipelines/host-tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';

export type DeviceTensors = Readonly<Record<string, DeviceTensor>>;

/** Copies tensors to the device. */
export function uploadAll(device: Device, tensors: ReadonlyMap<string, HostTensor>): DeviceTensors {
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, upload(device, tensor)]));
}

/** Copies them to the host; they stay where they are. */
export async function readAll(tensors: DeviceTensors): Promise<Map<string, HostTensor>> {
  const entries: [string, HostTensor][] = [];
  for (const [name, tensor] of Object.entries(tensors)) {
    entries.push([name, {shape: tensor.shape, data: await tensor.toFloat32Array()}]);
  }
  return new Map(entries);
}

/** Frees what was donated for others, but for tensors that have become those themselves. */
export function disposeReplaced(donated: DeviceTensors, others: DeviceTensors): void {
  for (const [name, tensor] of Object.entries(donated)) if (others[name] !== tensor) tensor.dispose();
}

export function disposeAll(tensors: DeviceTensors): void {
  for (const tensor of Object.values(tensors)) tensor.dispose();
}
