/**
 * From a graph to the description that the native runtime takes.
 */
import type {ProgramDescription, ProgramNode, ProgramTensor} from '../runtime/program.ts';
import * as ops from './ops/index.ts';
import type {Graph, OpNode, Tensor} from './tensor.ts';
import {record} from './trace.ts';

export interface Lowered {
  readonly description: ProgramDescription;
  /** The parameter and prepared tensors that the program reads, in the order of `description.parameters`. */
  readonly parameters: readonly Tensor[];
}

/**
 * Numbers tensors and nodes. Outputs that no node makes (an input handed back) get a copy.
 *
 * @param donated indices of inputs that are not needed after a run
 */
export function lower(graph: Graph, donated: readonly number[] = []): Lowered {
  const {value: outputs, nodes: copies} = record(() =>
    graph.outputs.map((tensor, index) =>
      tensor.node.kind === 'op' && graph.outputs.indexOf(tensor) === index
        ? tensor
        : ops.reshape({x: tensor}, {shape: tensor.shape}),
    ),
  );
  const ids = new Map<Tensor, number>();
  const tensors: ProgramTensor[] = [];
  const parameters: Tensor[] = [];
  const idOf = (tensor: Tensor): number => {
    const known = ids.get(tensor);
    if (known !== undefined) return known;
    const id = tensors.push({dtype: tensor.dtype, shape: tensor.shape}) - 1;
    ids.set(tensor, id);
    if (tensor.node.kind === 'parameter' || tensor.node.kind === 'prepared') parameters.push(tensor);
    return id;
  };
  const inputs = graph.inputs.map(idOf);
  const nodes = [...graph.nodes, ...copies].map((tensor): ProgramNode => {
    const {op, inputs: operands, attributes, scope} = tensor.node as OpNode;
    return {
      op: op.name,
      inputs: operands.map(operand => (operand === undefined ? -1 : idOf(operand))),
      outputs: [idOf(tensor)],
      attributes,
      scope,
    };
  });
  const description = {
    tensors,
    nodes,
    inputs,
    parameters: parameters.map(idOf),
    outputs: outputs.map(idOf),
    donated,
  };
  return {description, parameters};
}
