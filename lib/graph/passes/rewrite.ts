/**
 * The frame of every pass: records a graph anew, node by node, so that each pass is checked by the ops' own rules.
 */
import type {Graph, OpNode, Tensor} from '../tensor.ts';
import {record, scoped} from '../trace.ts';

export interface Visit {
  /** The node as it was. */
  readonly node: OpNode;
  /** The node's inputs in the new graph. */
  readonly inputs: readonly (Tensor | undefined)[];
}

/**
 * Records `graph` again; where `replace` returns a tensor, it stands in for the node.
 * What is no longer reached stays in the result: `eliminateDeadNodes` sweeps.
 */
export function rewrite(graph: Graph, replace: (visit: Visit) => Tensor | undefined): Graph {
  const renamed = new Map<Tensor, Tensor>();
  const resolve = (tensor: Tensor) => renamed.get(tensor) ?? tensor;
  const {nodes} = record(() => {
    for (const tensor of graph.nodes) {
      const node = opNode(tensor);
      const inputs = node.inputs.map(input => input && resolve(input));
      const copy = () => replace({node, inputs}) ?? node.op.apply(inputs, node.attributes);
      renamed.set(tensor, scoped(node.scope, copy));
    }
  });
  return {inputs: graph.inputs, nodes, outputs: graph.outputs.map(resolve)};
}

/** The op node behind a tensor of `graph.nodes`. */
export function opNode(tensor: Tensor): OpNode {
  return tensor.node as OpNode;
}

/** How often each tensor is read by a node or given as an output. */
export function countUses(graph: Graph): Map<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const readers = graph.nodes.flatMap(tensor => opNode(tensor).inputs);
  for (const tensor of [...readers, ...graph.outputs]) {
    if (tensor !== undefined) uses.set(tensor, (uses.get(tensor) ?? 0) + 1);
  }
  return uses;
}
