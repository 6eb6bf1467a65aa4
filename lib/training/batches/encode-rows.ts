import type {Engine} from '../../engine/engine.ts';
import {gatherRows, type HostTensor} from '../../pipelines/host-tensor.ts';

/**
 * What a frozen encoder makes of each input, [1, …], with the bits that the input has alone: what is cached must not depend
 * on the batch that it was met in.
 *
 * On the CPU rows of a batch have those bits, and the weights are prepared once a run, so that all inputs go in one. On CUDA
 * the number of rows decides how a product is split, and weights stay prepared: there each input has its own run.
 */
export async function encodeRows<Input>(
  {device}: Engine,
  inputs: readonly Input[],
  encode: (inputs: readonly Input[]) => Promise<HostTensor>,
): Promise<HostTensor[]> {
  if (inputs.length === 0) return [];
  if (device.kind === 'cpu') {
    const rows = await encode(inputs);
    return inputs.map((_, index) => gatherRows(rows, [index]));
  }
  const rows: HostTensor[] = [];
  for (const input of inputs) rows.push(await encode([input]));
  return rows;
}
