/**
 * Cases that are one traced function with random inputs and weights.
 */

import type {CompiledFunction} from '../lib/engine/compiled-function.ts';
import {opNode} from '../lib/graph/passes/rewrite.ts';
import {sizeOf, type Tensor, type TensorType} from '../lib/graph/tensor.ts';
import {flattenTree, type MapTree, mapTree, type Tree} from '../lib/graph/tree.ts';
import type {ComputeDType} from '../lib/pipelines/compute-dtype.ts';
import type {Device} from '../lib/runtime/device.ts';
import {DeviceTensor} from '../lib/runtime/device-tensor.ts';
import type {BenchCase, Work, Workload} from './bench-case.ts';

/** Below CLIP's vocabulary size: int32 inputs are token ids. */
const tokenIds = 49408;

export interface TracedCase<Inputs> extends Omit<BenchCase, 'load'> {
  /** Types of the inputs. */
  types(dtype: ComputeDType): MapTree<Inputs, Tensor, TensorType>;
  trace(inputs: Inputs, dtype: ComputeDType): Tensor;
}

export function tracedCase<Inputs>({types, trace, ...rest}: TracedCase<Inputs>): BenchCase {
  return {
    ...rest,
    async load({engine, dtype}): Promise<Workload> {
      const compiled = engine.compile(rest.name, (inputs: Inputs) => trace(inputs, dtype));
      const inputs = randomInputs<Inputs>(engine.device, types(dtype));
      return {
        work: workOf(compiled, types(dtype)),
        async run() {
          const output = await compiled.run(inputs.tensors);
          (output as DeviceTensor).dispose();
        },
        async dispose() {
          inputs.dispose();
        },
      };
    },
  };
}

export interface RandomInputs<Inputs> {
  readonly tensors: MapTree<Inputs, Tensor, DeviceTensor>;
  dispose(): void;
}

/** A tensor on the device for each type of a tree. */
export function randomInputs<Inputs>(
  device: Device,
  types: MapTree<Inputs, Tensor, TensorType>,
): RandomInputs<Inputs> {
  const tensors = mapTree(types as Tree<TensorType>, isType, type => randomTensor(device, type));
  return {
    tensors: tensors as MapTree<Inputs, Tensor, DeviceTensor>,
    dispose() {
      for (const {value} of flattenTree(tensors, isDeviceTensor)) value.dispose();
    },
  };
}

/** What a call with inputs of these types computes and moves. */
export function workOf<Inputs, Output>(
  compiled: CompiledFunction<Inputs, Output>,
  types: MapTree<Inputs, Tensor, TensorType>,
): Work {
  const {graph, program} = compiled.plan(types);
  const flops = graph.nodes.reduce((sum, output) => {
    const {op, inputs, attributes} = opNode(output);
    return sum + op.costOf({inputs, attributes, output}).flops;
  }, 0);
  const bytes = [...program.inputBytes, ...program.parameterBytes, ...program.outputBytes];
  return {flops, bytes: bytes.reduce((sum, size) => sum + size, 0)};
}

/** Uniform with variance 1; token ids for int32. */
function randomTensor(device: Device, {shape, dtype}: TensorType): DeviceTensor {
  const length = sizeOf(shape);
  if (dtype === 'int32') {
    const ids = Int32Array.from({length}, () => Math.floor(Math.random() * tokenIds));
    return DeviceTensor.from(device, ids, shape);
  }
  const values = Float32Array.from({length}, () => (2 * Math.random() - 1) * Math.sqrt(3));
  return DeviceTensor.from(device, values, shape, dtype);
}

function isType(value: unknown): value is TensorType {
  return typeof value === 'object' && value !== null && 'dtype' in value;
}

function isDeviceTensor(value: unknown): value is DeviceTensor {
  return value instanceof DeviceTensor;
}
