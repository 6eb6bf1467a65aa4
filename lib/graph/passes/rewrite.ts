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
  const {value: renamed, nodes} = record(() => recordAgain(graph.nodes, replace));
  return {inputs: graph.inputs, nodes, outputs: graph.outputs.map(tensor => renamed.get(tensor) ?? tensor)};
}

/** Records nodes again, in their scopes, reading each other's copies; returns the copy of each. */
export function recordAgain(
  nodes: readonly Tensor[],
  replace: (visit: Visit) => Tensor | undefined = () => undefined,
): Map<Tensor, Tensor> {
  const copies = new Map<Tensor, Tensor>();
  for (const tensor of nodes) {
    const node = opNode(tensor);
    const inputs = node.inputs.map(input => input && (copies.get(input) ?? input));
    const copy = () => replace({node, inputs}) ?? node.op.apply(inputs, node.attributes);
    copies.set(tensor, scoped(node.scope, copy));
  }
  return copies;
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
