import type {Engine} from '../../engine/engine.ts';

/** Inputs of a run on CUDA: enough to keep the device at work, few enough that a small batch is not mostly padding. */
const rowsOnCuda = 8;

/**
 * What a frozen encoder makes of each input, with bits that do not depend on the other inputs: what is cached must not
 * depend on the batch that it was met in.
 *
 * On the CPU rows of a batch have the bits that they have alone, and the weights are prepared once a run, so that all inputs
 * go in one. On CUDA the number of rows decides how a product is split: there each run has as many, the last one's filled up.
 *
 * @param encode results in the order of its inputs
 * @param atOnce the most inputs of a run; default: all on the CPU, 8 on CUDA
 */
export async function encodeRows<Input, Row>(
  {device}: Engine,
  inputs: readonly Input[],
  encode: (inputs: readonly Input[]) => Promise<readonly Row[]>,
  atOnce: number = device.kind === 'cpu' ? inputs.length : rowsOnCuda,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let begin = 0; begin < inputs.length; begin += atOnce) {
    const group = inputs.slice(begin, begin + atOnce);
    const filling = device.kind === 'cpu' ? 0 : atOnce - group.length;
    const encoded = await encode([...group, ...Array<Input>(filling).fill(group[0]!)]);
    rows.push(...encoded.slice(0, group.length));
  }
  return rows;
}
