/**
 * Gives each convolution the algorithm that takes least time on the CPU for its shape, and packs its weight for it.
 *
 * Winograd's F(4x4, 3x3) (Lavin & Gray 2016, §4.3) needs a quarter of the multiplications. Transformed beforehand, its
 * kernels take 4 times the memory: worth it where many pixels share few weights, as at full size. Deep layers have most
 * of the weights and few pixels; there the kernels are transformed as they are used.
 */
import {conv2d, packConv2d} from '../ops/index.ts';
import type {ConvAlgorithm, Graph, OpNode, Tensor} from '../tensor.ts';
import {scoped} from '../trace.ts';
import {eliminateDeadNodes} from './eliminate-dead-nodes.ts';
import {rewrite} from './rewrite.ts';

/** Below, transforms cost more than products save: the first and last convolutions of models. */
const minChannels = 32;
/** Pixels of the shorter side from which on kernels are held transformed; bench/RESULTS.md has the figures. */
const heldFrom = {float32: 32, bfloat16: 16};
/** Below, float32 has too few tiles of 4x4; and in bfloat16 direct products, at twice the rate, are as fast. */
const winogradFrom = {float32: 4, bfloat16: 16};

/** Equal in meaning, up to rounding, to the graph it is given. */
export function chooseConvAlgorithms(graph: Graph): Graph {
  const chosen = rewrite(graph, ({node, inputs}) => {
    if (node.op !== conv2d) return undefined;
    const packed = inputs[1]!.node;
    const algorithm = algorithmOf(inputs as readonly Tensor[], node);
    if (algorithm === 'direct' || packed.kind !== 'op' || packed.op !== packConv2d) return undefined;
    const weight = scoped(packed.scope, () =>
      packed.op.apply(packed.inputs, {...packed.attributes, algorithm}),
    );
    return node.op.apply(inputs.with(1, weight), {...node.attributes, algorithm});
  });
  return eliminateDeadNodes(chosen);
}

/** Of sizes alone, and not of the batch: a sample's bits do not depend on its company. */
function algorithmOf([x, weight]: readonly Tensor[], {attributes}: OpNode): ConvAlgorithm {
  const [outputs, channels, kernelHeight, kernelWidth] = weight!.shape as [number, number, number, number];
  const fits = kernelHeight === 3 && kernelWidth === 3 && attributes['stride'] === 1;
  if (!fits || Math.min(outputs, channels) < minChannels) return 'direct';
  const height = (attributes['upsample_height'] as number) || x!.dim(1);
  const width = (attributes['upsample_width'] as number) || x!.dim(2);
  const side = Math.min(height, width);
  const dtype = x!.dtype as keyof typeof heldFrom;
  if (side >= heldFrom[dtype]) return 'winograd_held';
  return side >= winogradFrom[dtype] ? 'winograd' : 'direct';
}
