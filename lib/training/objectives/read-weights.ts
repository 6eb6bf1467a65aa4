/**
 * Weights that training begins with, or keeps, from a file.
 */
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {readTensor} from '../../weights/read-tensor.ts';
import {reconcile} from '../../weights/reconcile.ts';
import type {WeightIndex} from '../../weights/stored-tensor.ts';

/**
 * A model's weights as float32, under the names that its layers ask for.
 *
 * @param label the model's name in messages
 * @throws WeightsError where they are those of another configuration
 */
export async function readWeights(
  shapes: ReadonlyMap<string, readonly number[]>,
  {path, tensors}: WeightIndex,
  label: string,
): Promise<Map<string, HostTensor>> {
  const weights = new Map<string, HostTensor>();
  for (const [name, tensor] of reconcile(shapes, tensors, `${label} of ${path}`)) {
    weights.set(name, {shape: tensor.shape, data: await readTensor(tensor)});
  }
  return weights;
}
