/**
 * Gives each convolution the algorithm that takes least time on the CPU for its shape, and packs its weight for it.
 *
 * Winograd's F(m x m, 3x3) (Lavin & Gray 2016, §4) needs 9·m² / (m + 2)² times fewer multiplications: 5.1 for m = 6, 4
 * for m = 4, 2.25 for m = 2. Kernels that are held transformed take (m + 2)² / 9 times the memory, 7.1, 4 and 1.8: worth
 * it where many pixels share few weights, as in autoencoders, and at full size. Deep layers have most of the weights and few pixels; there kernels are transformed
 * as they are used, and at the last level, of four tiles of 4x4, the smaller tile does with less of either.
 */
import {conv2d, packConv2d} from '../ops/index.ts';
import type {ConvAlgorithm, Graph, OpNode, Tensor} from '../tensor.ts';
import {scoped} from '../trace.ts';
import {eliminateDeadNodes} from './eliminate-dead-nodes.ts';
import {rewrite} from './rewrite.ts';

/** Below, transforms cost more than products save: the first and last convolutions of models. */
const minChannels = 32;
/** From how many pixels of the shorter side on; bench/RESULTS.md has the figures. */
const choices: Readonly<Record<string, readonly (readonly [side: number, ConvAlgorithm])[]>> = {
  float32: [
    [96, 'winograd_6x6_held'],
    [32, 'winograd_4x4_held'],
    [12, 'winograd_4x4'],
    [4, 'winograd_2x2_held'],
  ],
  // Kernels held for tiles of 4x4 are float16 here, and direct products run at twice the rate of float32's.
  bfloat16: [
    [96, 'winograd_6x6_held'],
    [16, 'winograd_4x4_held'],
  ],
};

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
  return choices[x!.dtype]!.find(([from]) => side >= from)?.[1] ?? 'direct';
}
