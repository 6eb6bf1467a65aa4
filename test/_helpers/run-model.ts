import {Engine} from '../../lib/engine/engine.ts';
import {FileWeights} from '../../lib/engine/file-weights.ts';
import type {Tensor} from '../../lib/graph/tensor.ts';
import {flattenTree, type Tree} from '../../lib/graph/tree.ts';
import {Weights} from '../../lib/nn/weights.ts';
import {openDevice} from '../../lib/runtime/device.ts';
import {DeviceTensor} from '../../lib/runtime/device-tensor.ts';
import type {TensorMap} from '../../lib/weights/stored-tensor.ts';

/** Data of an input: what arrays of floats or of ids hold. */
export interface HostInput {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

const engine = new Engine(openDevice('cpu'));

export function weightsOf(label: string, tensors: TensorMap): Weights {
  return new Weights(new FileWeights(label, tensors));
}

/** Runs a function of named tensors on the CPU; gives the values of its results in the order of their tree. */
export async function runModel<Inputs extends Readonly<Record<string, HostInput>>>(
  fn: (inputs: {readonly [Name in keyof Inputs]: Tensor}) => Tree<Tensor>,
  inputs: Inputs,
): Promise<Float32Array[]> {
  const uploaded = Object.fromEntries(
    Object.entries(inputs).map(([name, {shape, data}]) => [
      name,
      DeviceTensor.from(engine.device, data, shape),
    ]),
  );
  const compiled = engine.compile('model', (symbols: Record<string, Tensor>) =>
    fn(symbols as {[Name in keyof Inputs]: Tensor}),
  );
  const output = await compiled.run(uploaded);
  const leaves = flattenTree(output as Tree<DeviceTensor>, isDeviceTensor);
  return Promise.all(leaves.map(({value}) => value.toFloat32Array()));
}

function isDeviceTensor(value: unknown): value is DeviceTensor {
  return value instanceof DeviceTensor;
}
