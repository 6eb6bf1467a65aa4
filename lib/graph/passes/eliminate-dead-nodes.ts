import type {Graph, Tensor} from '../tensor.ts';
import {opNode} from './rewrite.ts';

/** Drops nodes that no output depends on. */
export function eliminateDeadNodes(graph: Graph): Graph {
  const live = new Set<Tensor>(graph.outputs);
  for (const tensor of [...graph.nodes].reverse()) {
    if (!live.has(tensor)) continue;
    for (const input of opNode(tensor).inputs) if (input !== undefined) live.add(input);
  }
  return {...graph, nodes: graph.nodes.filter(tensor => live.has(tensor))};
}
