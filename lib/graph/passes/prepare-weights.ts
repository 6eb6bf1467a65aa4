/**
 * Constant folding over weights: what depends on weights alone (conversion, packing) leaves the graph and becomes a
 * recipe that is cooked once and shared by every program that names the same key.
 */
import {
  formatType,
  type Graph,
  type OpNode,
  type ParameterSource,
  type PreparedRecipe,
  Tensor,
} from '../tensor.ts';
import {eliminateDeadNodes} from './eliminate-dead-nodes.ts';
import {opNode, rewrite} from './rewrite.ts';

/** Replaces each weights-only value that the rest of the graph reads by a prepared one. */
export function prepareWeights(graph: Graph): Graph {
  const isConstant = weightsAlone(graph.nodes);
  const prepared = new Map<string, Tensor>();
  const prepare = (tensor: Tensor): Tensor => {
    const recipe = recipeOf(tensor);
    const known = prepared.get(recipe.key) ?? new Tensor(tensor, {kind: 'prepared', recipe});
    prepared.set(recipe.key, known);
    return known;
  };
  const original = new Map<OpNode, Tensor>(graph.nodes.map(tensor => [opNode(tensor), tensor]));
  const rest = rewrite(graph, ({node, inputs}) => {
    if (isConstant(original.get(node)!)) return undefined;
    const bound = inputs.map((input, index) => {
      const before = node.inputs[index];
      return before !== undefined && isConstant(before) ? prepare(before) : input;
    });
    return node.op.apply(bound, node.attributes);
  });
  const outputs = graph.outputs.map((tensor, index) =>
    isConstant(tensor) ? prepare(tensor) : rest.outputs[index]!,
  );
  return eliminateDeadNodes({...rest, outputs});
}

/** Whether a tensor is a weight, or one of `nodes`, in the order of recording, that depends on nothing else. */
export function weightsAlone(nodes: readonly Tensor[]): (tensor: Tensor) => boolean {
  const found = new Set<Tensor>();
  const isConstant = (tensor: Tensor) => tensor.node.kind === 'parameter' || found.has(tensor);
  for (const tensor of nodes) {
    if (opNode(tensor).inputs.every(input => input === undefined || isConstant(input))) found.add(tensor);
  }
  return isConstant;
}

function recipeOf(output: Tensor): PreparedRecipe {
  const nodes: Tensor[] = [];
  const keys = new Map<Tensor, string>();
  const visit = (tensor: Tensor): string => {
    const known = keys.get(tensor);
    if (known !== undefined) return known;
    const {node} = tensor;
    let key: string;
    if (node.kind === 'parameter') {
      key = `${sourceId(node.source)}/${node.name}`;
    } else {
      const {op, inputs, attributes} = node as OpNode;
      const operands = inputs.map(input => (input === undefined ? '-' : visit(input)));
      key = `${op.name}(${operands.join(',')})${JSON.stringify(attributes)}:${formatType(tensor)}`;
      nodes.push(tensor);
    }
    keys.set(tensor, key);
    return key;
  };
  const key = visit(output);
  return {key, graph: {inputs: [], nodes, outputs: [output]}};
}

const sourceIds = new WeakMap<ParameterSource, number>();
let sourceCount = 0;

function sourceId(source: ParameterSource): string {
  const id = sourceIds.get(source) ?? ++sourceCount;
  sourceIds.set(source, id);
  return `${source.label}#${id}`;
}
