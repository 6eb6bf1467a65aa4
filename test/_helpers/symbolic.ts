import {eliminateDeadNodes} from '../../lib/graph/passes/eliminate-dead-nodes.ts';
import {opNode} from '../../lib/graph/passes/rewrite.ts';
import {formatType, type Tensor, type TensorType} from '../../lib/graph/tensor.ts';
import {isTensor, parameter, trace} from '../../lib/graph/trace.ts';
import {flattenTree, type Tree} from '../../lib/graph/tree.ts';
import {type WeightSource, Weights} from '../../lib/nn/weights.ts';
import type {DType} from '../../lib/runtime/dtype.ts';

/** Weights of any name and shape, without data, stored as float16. */
export function symbolicWeights(label = 'model'): Weights {
  const source: WeightSource = {
    label,
    tensor: (name, shape) => parameter(source, name, {shape, dtype: 'float16'}),
  };
  return new Weights(source);
}

export function symbolic(shape: readonly number[], dtype: DType = 'float32'): TensorType {
  return {shape, dtype};
}

export interface TraceSummary {
  /** Types of the results: `f32[1, 77, 768]`. */
  readonly outputs: readonly string[];
  /** Names of the weights that the results depend on. */
  readonly weights: ReadonlySet<string>;
}

/** Traces a function of named tensors and says what comes out of it and which weights that takes. */
export function summarizeTrace<Types extends Readonly<Record<string, TensorType>>>(
  fn: (inputs: {readonly [Name in keyof Types]: Tensor}) => Tree<Tensor>,
  types: Types,
): TraceSummary {
  const {graph, output} = trace(inputs => fn(inputs as {[Name in keyof Types]: Tensor}), types);
  const operands = eliminateDeadNodes(graph).nodes.flatMap(tensor => opNode(tensor).inputs);
  const names = operands.flatMap(tensor => (tensor?.node.kind === 'parameter' ? [tensor.node.name] : []));
  return {
    outputs: flattenTree(output, isTensor).map(({value}) => formatType(value)),
    weights: new Set(names),
  };
}
