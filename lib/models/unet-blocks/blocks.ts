/**
 * Down, mid and up blocks: layers of a resnet and, where the config has cross-attention, a transformer.
 */
import {InternalError} from '../../errors.ts';
import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {checkpoint} from '../../graph/trace.ts';
import {conv2d} from '../../nn/layers.ts';
import {resnetBlock, upsampler} from '../../nn/resnet-block.ts';
import type {Weights} from '../../nn/weights.ts';
import type {BlockPlan, LayerPlan, ResnetPlan} from './block-plan.ts';
import type {CrossAttentionObserver, LayerContext} from './cross-attention.ts';
import {toRows} from './sample-rows.ts';
import {spatialTransformer} from './transformer.ts';
import type {TrunkConfig} from './trunk-config.ts';

/** What every block reads besides its own input, which is by sample until a cross-attention makes it one by row. */
export interface BlockContext {
  /** Of the whole model: plans hold paths from its root. */
  readonly weights: Weights;
  readonly config: TrunkConfig;
  /** float32 [S or 1, outChannels] of each resnet. */
  readonly timeBiases: ReadonlyMap<ResnetPlan, Tensor>;
  /** By path of the cross-attention layer. */
  readonly crossAttention: ReadonlyMap<string, LayerContext>;
  readonly observe?: CrossAttentionObserver | undefined;
}

export interface DownResult {
  readonly hidden: Tensor;
  /** What the way up joins again: x itself, then the result of each layer and downsampler. */
  readonly skips: readonly Tensor[];
}

/** All down blocks: x [B, h, w, C] at full size. */
export function downBlocks(context: BlockContext, blocks: readonly BlockPlan[], x: Tensor): DownResult {
  const skips = [x];
  let hidden = x;
  const keep = (next: Tensor) => {
    hidden = next;
    skips.push(next);
  };
  for (const {path, layers, resamples} of blocks) {
    for (const plan of layers) keep(layer(context, plan, [hidden]));
    if (resamples) keep(downsampler(context, `${path}.downsamplers.0`, hidden));
  }
  return {hidden, skips};
}

/** The mid block, or nothing where the plan has none. */
export function midBlocks(context: BlockContext, blocks: readonly BlockPlan[], x: Tensor): Tensor {
  return blocks.flatMap(block => block.layers).reduce((hidden, plan) => layer(context, plan, [hidden]), x);
}

/** All up blocks: each layer joins the latest skip; an upsampler grows to the size of the skip that comes next. */
export function upBlocks(
  context: BlockContext,
  blocks: readonly BlockPlan[],
  x: Tensor,
  skips: readonly Tensor[],
): Tensor {
  const left = [...skips];
  let hidden = x;
  for (const {path, layers, resamples} of blocks) {
    for (const plan of layers) {
      const skip = latest(left);
      left.pop();
      hidden = layer(context, plan, [hidden, toRows(skip, hidden.dim(0))]);
    }
    if (resamples) {
      const [, height, width] = latest(left).shape as [number, number, number, number];
      hidden = upsampler(context.weights.at(path, 'upsamplers', 0), hidden, height, width);
    }
  }
  return hidden;
}

function latest(skips: readonly Tensor[]): Tensor {
  const skip = skips.at(-1);
  if (skip === undefined) throw new InternalError('the up blocks join more skips than the down blocks left.');
  return skip;
}

/** @param parts join along the channels */
function layer(
  context: BlockContext,
  {resnet, transformer}: LayerPlan,
  parts: readonly [Tensor, ...Tensor[]],
): Tensor {
  const {weights, config, timeBiases, crossAttention, observe} = context;
  const {normNumGroups, normEps, useLinearProjection} = config;
  const timeBias = timeBiases.get(resnet)!;
  const hidden = checkpoint(() => {
    const x = parts.length === 1 ? parts[0] : ops.concat({parts}, {axis: 3});
    return resnetBlock(weights.at(resnet.path), x, resnet.outChannels, {
      groups: normNumGroups,
      epsilon: normEps,
      sampleBias: timeBias.dim(0) === 1 ? timeBias : toRows(timeBias, x.dim(0)),
    });
  });
  if (transformer === undefined) return hidden;
  return checkpoint(() =>
    spatialTransformer(weights.at(transformer.path), hidden, {
      heads: transformer.heads,
      normNumGroups,
      useLinearProjection,
      contexts: transformer.blocks.map(path => crossAttention.get(`${path}.attn2`)!),
      observe,
    }),
  );
}

/** Halves the picture by a strided convolution. */
function downsampler({weights, config}: BlockContext, path: string, x: Tensor): Tensor {
  const padding = config.downsamplePadding === 1 ? 1 : ([0, 0, 1, 1] as const);
  return conv2d(weights.at(path, 'conv'), x, x.dim(3), {stride: 2, padding});
}
