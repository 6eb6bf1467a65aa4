/**
 * Moves cheap work into the kernel that produces or reads its operand: activations and residuals into products and
 * convolutions, SiLU into group norm, GEGLU into its product, nearest upsampling into the convolution's addressing,
 * conversions into layer norm, and those of products into what is added to them.
 */

import {sameShape} from '../ops/check.ts';
import {cast, conv2d, groupNorm, layerNorm, linear, packLinear} from '../ops/index.ts';
import type {Graph, Op, OpNode, Tensor} from '../tensor.ts';
import {scoped} from '../trace.ts';
import {eliminateDeadNodes} from './eliminate-dead-nodes.ts';
import {countUses, opNode, rewrite, type Visit} from './rewrite.ts';

/** Whether a tensor of the graph as it was has one reader. */
type OnlyHere = (tensor: Tensor | undefined) => boolean;
type Fusion = (visit: Visit, onlyHere: OnlyHere) => Tensor | undefined;

const fusions: Readonly<Record<string, Fusion>> = {
  unary: fuseActivation,
  binary: fuseResidual,
  cast: fuseNormCast,
  geglu: fuseGeglu,
  conv2d: fuseUpsample,
};

/** Equal in meaning, up to rounding, to the graph it is given. */
export function fuseEpilogues(graph: Graph): Graph {
  // Nobody reads all of what gradients compute again; a dead reader would keep its operand apart.
  const live = eliminateDeadNodes(graph);
  const uses = countUses(live);
  const onlyHere: OnlyHere = tensor => tensor !== undefined && uses.get(tensor) === 1;
  const fused = rewrite(live, visit => fusions[visit.node.op.name]?.(visit, onlyHere));
  return eliminateDeadNodes(fused);
}

/** The op node of `tensor` where it is one of `ops`. */
function producer(tensor: Tensor | undefined, ...ops: readonly Op[]): OpNode | undefined {
  return tensor?.node.kind === 'op' && ops.includes(tensor.node.op) ? tensor.node : undefined;
}

/** Records a node like `source`, in its scope. */
function reapply(source: OpNode, inputs: OpNode['inputs'], attributes: OpNode['attributes']): Tensor {
  return scoped(source.scope, () => source.op.apply(inputs, attributes));
}

/** Where residual stands among the inputs: last in both ops. */
function hasResidual(node: OpNode): boolean {
  return node.inputs[node.op.roles.length - 1] !== undefined;
}

function fuseActivation({node, inputs}: Visit, onlyHere: OnlyHere): Tensor | undefined {
  const source = producer(inputs[0], linear, conv2d, groupNorm);
  if (source === undefined || !onlyHere(node.inputs[0]) || source.attributes['activation'] !== 'none')
    return undefined;
  if (source.op !== groupNorm && hasResidual(source)) return undefined;
  const activation = node.attributes['kind'] as string;
  if (!(source.op.attributeKinds['activation'] as readonly string[]).includes(activation)) return undefined;
  return reapply(source, source.inputs, {...source.attributes, activation});
}

function fuseResidual({node, inputs}: Visit, onlyHere: OnlyHere): Tensor | undefined {
  const [a, b] = inputs as [Tensor, Tensor];
  if (node.attributes['kind'] !== 'add' || !sameShape(a.shape, b.shape)) return undefined;
  // The operand written last comes first: `x + f(x)` is written either way round.
  for (const [index, product, residual] of [[1, b, a] as const, [0, a, b] as const]) {
    const source = producer(product, linear, conv2d) ?? widened(node.inputs[index]!, product, onlyHere);
    if (source !== undefined && onlyHere(node.inputs[index]) && !hasResidual(source)) {
      return reapply(source, source.inputs.with(-1, residual), source.attributes);
    }
  }
  return undefined;
}

/** The product that a conversion to float32 alone reads: what is added to it is added before it is rounded. */
function widened(before: Tensor, tensor: Tensor, onlyHere: OnlyHere): OpNode | undefined {
  const conversion = producer(tensor, cast);
  if (conversion === undefined || tensor.dtype !== 'float32') return undefined;
  return onlyHere(opNode(before).inputs[0]) ? producer(conversion.inputs[0], linear) : undefined;
}

function fuseNormCast({node, inputs}: Visit, onlyHere: OnlyHere): Tensor | undefined {
  const source = producer(inputs[0], layerNorm);
  if (source === undefined || !onlyHere(node.inputs[0]) || inputs[0]!.dtype !== 'float32') return undefined;
  return reapply(source, source.inputs, {...source.attributes, dtype: node.attributes['dtype']!});
}

function fuseGeglu({node, inputs}: Visit, onlyHere: OnlyHere): Tensor | undefined {
  const source = producer(inputs[0], linear);
  if (source === undefined || !onlyHere(node.inputs[0])) return undefined;
  const [x, weight, bias, residual] = source.inputs;
  const packed = producer(weight, packLinear);
  if (packed === undefined || residual !== undefined || source.attributes['activation'] !== 'none') {
    return undefined;
  }
  // Where the product is computed again for gradients, one layout of the weight serves both.
  if (!onlyHere(opNode(node.inputs[0]!).inputs[1])) return undefined;
  const interleaved = reapply(packed, packed.inputs, {...packed.attributes, glu: true});
  return reapply(source, [x, interleaved, bias, undefined], {activation: 'geglu'});
}

function fuseUpsample({node, inputs}: Visit, onlyHere: OnlyHere): Tensor | undefined {
  const source = inputs[0]?.node;
  const folds =
    source?.kind === 'op' &&
    source.op.name === 'upsample_nearest' &&
    onlyHere(node.inputs[0]) &&
    node.attributes['upsample_height'] === 0;
  if (!folds) return undefined;
  const {height, width} = source.attributes as {height: number; width: number};
  return node.op.apply(inputs.with(0, source.inputs[0]), {
    ...node.attributes,
    upsample_height: height,
    upsample_width: width,
  });
}
