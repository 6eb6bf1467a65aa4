/**
 * A graph as text: `%17 f32[2, 4096, 320] = layer_norm %16 %w4 %w5 {epsilon=0.00001}  # unet.down_blocks.0…`.
 */
import type {AttributeValue} from '../runtime/program.ts';
import {opNode} from './passes/rewrite.ts';
import {formatType, type Graph, type Tensor} from './tensor.ts';

/** Stable numbering: `%n` in order of execution, inputs by name, weights by their path or recipe. */
export function printGraph(graph: Graph): string {
  const names = new Map<Tensor, string>(graph.nodes.map((tensor, index) => [tensor, `%${index}`]));
  const nameOf = (tensor: Tensor | undefined): string => {
    if (tensor === undefined) return '_';
    const {node} = tensor;
    if (node.kind === 'input') return node.name === '' ? 'input' : node.name;
    if (node.kind === 'parameter') return `@${node.source.label}.${node.name}`;
    if (node.kind === 'prepared') return `@{${recipeName(node.recipe.graph)}}`;
    return names.get(tensor) ?? '?';
  };
  const lines = graph.inputs.map(tensor => `input ${nameOf(tensor)} ${formatType(tensor)}`);
  for (const tensor of graph.nodes) {
    const {op, inputs, attributes, scope} = opNode(tensor);
    const operands = inputs.map(nameOf).join(' ');
    const settings = formatAttributes(attributes);
    const comment = scope === '' ? '' : `  # ${scope}`;
    lines.push(`${nameOf(tensor)} ${formatType(tensor)} = ${op.name} ${operands}${settings}${comment}`);
  }
  lines.push(`return ${graph.outputs.map(nameOf).join(' ')}`);
  return lines.join('\n');
}

/** Ops of a recipe from the outside in, then the weight: `pack_linear cast unet.conv_in.weight`. */
function recipeName(graph: Graph): string {
  const ops = [...graph.nodes].reverse().map(tensor => opNode(tensor).op.name);
  const operands = [...graph.nodes.flatMap(tensor => opNode(tensor).inputs), ...graph.outputs];
  const weights = operands.flatMap(tensor =>
    tensor?.node.kind === 'parameter' ? [`${tensor.node.source.label}.${tensor.node.name}`] : [],
  );
  return [...ops, ...new Set(weights)].join(' ');
}

function formatAttributes(attributes: Readonly<Record<string, AttributeValue>>): string {
  const entries = Object.entries(attributes).map(([name, value]) =>
    Array.isArray(value) ? `${name}=[${value.join(', ')}]` : `${name}=${String(value)}`,
  );
  return entries.length === 0 ? '' : ` {${entries.join(', ')}}`;
}
