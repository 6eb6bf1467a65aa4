import type {BatchTensor} from '../../lib/training/device-batch.ts';

/** All of a batch's tensor, whether it is in parts or not. */
export function batchNumbers(tensor: BatchTensor): number[] {
  return 'rows' in tensor ? tensor.rows.flatMap(row => [...row]) : [...tensor.data];
}
