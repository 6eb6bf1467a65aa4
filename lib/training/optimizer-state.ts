import type {HostTensor} from '../pipelines/host-tensor.ts';

/** The weights within optimiser states [3, ...], by their names; they share the states' memory. */
export function weightsOf(state: ReadonlyMap<string, HostTensor>): Map<string, HostTensor> {
  return new Map(
    [...state].map(([name, {shape, data}]) => [
      name,
      {shape: shape.slice(1), data: data.subarray(0, data.length / 3)},
    ]),
  );
}
