/**
 * The spatial transformer of a UNet level (diffusers' `Transformer2DModel` over pictures).
 */
import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {scoped} from '../../graph/trace.ts';
import {add, conv2d, groupNorm, layerNorm, linear, toPicture, toTokens} from '../../nn/layers.ts';
import type {Weights} from '../../nn/weights.ts';
import type {AttentionOptions, CrossAttentionObserver, LayerContext} from './cross-attention.ts';
import {decoupledAttention} from './decoupled-attention.ts';
import {addRows, toRows} from './sample-rows.ts';

export interface TransformerOptions {
  readonly heads: number;
  readonly normNumGroups: number;
  readonly useLinearProjection: boolean;
  /** What the cross-attention of each transformer block attends to. */
  readonly contexts: readonly LayerContext[];
  readonly observe?: CrossAttentionObserver | undefined;
}

/** Told of a cross-attention's queries [B, N, C], and of what it does with them. */
type QueryObserver = (query: Tensor, options: AttentionOptions) => void;

/**
 * Pictures [B, H, W, C] → the same shape: pixels as tokens through the blocks, plus x. Pictures by sample come out by row
 * of the text.
 */
export function spatialTransformer(
  weights: Weights,
  x: Tensor,
  {heads, normNumGroups, useLinearProjection, contexts, observe}: TransformerOptions,
): Tensor {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  const project = (name: string, picture: Tensor) =>
    useLinearProjection
      ? linear(weights.at(name), picture, channels)
      : conv2d(weights.at(name), picture, channels, {kernelSize: 1});
  const normed = groupNorm(weights.at('norm'), x, {groups: normNumGroups, epsilon: 1e-6});
  const tokens = contexts.reduce(
    (hidden, context, index) =>
      transformerBlock(weights.at('transformer_blocks', index), hidden, heads, context, (query, options) =>
        observe?.({...context, query, options, height, width}),
      ),
    toTokens(project('proj_in', normed)),
  );
  return addRows(x, project('proj_out', toPicture(tokens, height, width)));
}

/** Self-attention, cross-attention and a GEGLU feed-forward network, each normalised before and added to its input. */
function transformerBlock(
  weights: Weights,
  x: Tensor,
  heads: number,
  context: LayerContext,
  observe: QueryObserver,
): Tensor {
  const attended = add(x, selfAttention(weights.at('attn1'), layerNorm(weights.at('norm1'), x), heads));
  const normed = layerNorm(weights.at('norm2'), attended);
  const crossed = addRows(attended, crossAttention(weights.at('attn2'), normed, heads, context, observe));
  return add(crossed, feedForward(weights.at('ff'), layerNorm(weights.at('norm3'), crossed)));
}

function selfAttention(weights: Weights, x: Tensor, heads: number): Tensor {
  const channels = x.dim(2);
  const [q, k, v] = ['to_q', 'to_k', 'to_v'].map(name =>
    linear(weights.at(name), x, channels, {bias: false}),
  ) as [Tensor, Tensor, Tensor];
  const scale = headScale(channels, heads);
  const attended = scoped(weights.path, () => ops.attention({q, k, v}, {heads, scale, causal: false}));
  return linear(weights.at('to_out', 0), attended, channels);
}

/** Over the text; the terms of images are added before `to_out` (Ye et al. 2023, eq. 5). */
function crossAttention(
  weights: Weights,
  x: Tensor,
  heads: number,
  {text, images}: LayerContext,
  observe: QueryObserver,
): Tensor {
  const channels = x.dim(2);
  const q = toRows(linear(weights.at('to_q'), x, channels, {bias: false}), text.key.dim(0));
  const options = {heads, scale: headScale(channels, heads)};
  const attended = scoped(weights.path, () => decoupledAttention(q, text, images, options));
  scoped(weights.path, () => observe(q, options));
  return linear(weights.at('to_out', 0), attended, channels);
}

function headScale(channels: number, heads: number): number {
  return 1 / Math.sqrt(channels / heads);
}

function feedForward(weights: Weights, x: Tensor): Tensor {
  const channels = x.dim(2);
  const gated = ops.geglu({x: linear(weights.at('net', 0, 'proj'), x, 8 * channels)});
  return linear(weights.at('net', 2), gated, channels);
}
