import type {Communicator} from '../../lib/runtime/communicator.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import type {DeviceTensor} from '../../lib/runtime/device-tensor.ts';

/** Ranks within this process, on its CPU: each has its own communicator, and waits for the others as processes do. */
export function rankGroup(size: number): Communicator[] {
  const {addon} = openDevice('cpu');
  let parts: {values: readonly number[]; resolve: (sum: readonly number[]) => void}[] = [];
  const sum = (values: readonly number[]) =>
    new Promise<readonly number[]>(resolve => {
      parts.push({values, resolve});
      if (parts.length < size) return;
      const all = parts;
      parts = [];
      const total = values.map((_, i) => all.reduce((a, part) => a + part.values[i]!, 0));
      for (const part of all) part.resolve(total);
    });
  const sumTensors = async (tensors: readonly DeviceTensor[]) => {
    for (const tensor of tensors) {
      const total = await sum([...(await tensor.toFloat32Array())]);
      addon.write(tensor.handle, 0, Float32Array.from(total));
    }
  };
  return Array.from({length: size}, (_, rank) => ({rank, size, sum, sumTensors, close: async () => {}}));
}
