/**
 * The transformers with learnt queries that turn an image, and texts, into tokens: the resampler of IP-Adapter+ and both
 * forms of IPAdapter-Instruct (Rowles et al. 2024, §3.2, fig. 3). They differ only in what the queries attend to, one
 * after the other, in each layer. Weights are below `image_proj`.
 */
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {scoped} from '../graph/trace.ts';
import {add, castTo, layerNorm, linear} from '../nn/layers.ts';
import type {Weights} from '../nn/weights.ts';
import type {ResamplerAdapter} from '../weights/adapter-kind.ts';

/** A text that the queries attend to after the image. */
export type AdapterText = 'prompt' | 'instruction';

type Texts = {readonly [Name in AdapterText]?: Tensor | undefined};

/** Names in the file, in the order of attention. */
const textStreams = [
  {text: 'prompt', projection: 'proj_prompt_input', layers: 'prompt_layers'},
  {text: 'instruction', projection: 'proj_new_input', layers: 'new_input_layers'},
] as const;

/** One thing that the queries attend to. */
interface Stream {
  /** [B, N, dim]. */
  readonly context: Tensor;
  /** Name of its attentions and feed-forwards. */
  readonly layers: string;
  /** Hidden width of these feed-forwards, in units of `dim`. */
  readonly feedForwardMult: number;
}

/**
 * Tokens for the UNet's cross-attention: [B, numTokens, crossAttentionDim], from tensors of one compute dtype.
 *
 * @param image hidden states of the image encoder before its last layer: [B, N, imageWidth]
 * @param texts text tokens [B, M, textWidth]: none for IP-Adapter+, the instruction for the paper's form of
 *   IPAdapter-Instruct, prompt and instruction for the released one
 */
export function resampler(weights: Weights, adapter: ResamplerAdapter, image: Tensor, texts: Texts): Tensor {
  const {dim, depth, numTokens, crossAttentionDim} = adapter;
  return scoped(weights.path, () => {
    const streams = streamsOf(weights, adapter, image, texts);
    const queries = castTo(weights.tensor('latents', [1, numTokens, dim]), image.dtype);
    let x = ops.broadcastTo({x: queries}, {shape: [image.dim(0), numTokens, dim]});
    for (let layer = 0; layer < depth; layer++) {
      for (const {context, layers, feedForwardMult} of streams) {
        x = add(x, perceiverAttention(weights.at(layers, layer, 0), adapter, context, x));
        x = add(x, feedForward(weights.at(layers, layer, 1), x, feedForwardMult));
      }
    }
    return layerNorm(weights.at('norm_out'), linear(weights.at('proj_out'), x, crossAttentionDim));
  });
}

function streamsOf(
  weights: Weights,
  {dim, feedForwardMult, instruction}: ResamplerAdapter,
  image: Tensor,
  texts: Texts,
): Stream[] {
  const imageStream = {context: linear(weights.at('proj_in'), image, dim), layers: 'layers', feedForwardMult};
  return [
    imageStream,
    ...textStreams.flatMap(({text, projection, layers}) => {
      const tokens = texts[text];
      if (tokens === undefined || instruction === undefined) return [];
      const context = linear(weights.at(projection), tokens, dim);
      return [{context, layers, feedForwardMult: instruction.feedForwardMult}];
    }),
  ];
}

/** Attention from latents [B, L, dim] to context [B, N, dim] and latents together. */
function perceiverAttention(
  weights: Weights,
  {dim, heads, dimHead}: ResamplerAdapter,
  context: Tensor,
  latents: Tensor,
): Tensor {
  return scoped(weights.path, () => {
    const innerDim = heads * dimHead;
    const normed = layerNorm(weights.at('norm2'), latents);
    const seen = ops.concat({parts: [layerNorm(weights.at('norm1'), context), normed]}, {axis: 1});
    const q = linear(weights.at('to_q'), normed, innerDim, {bias: false});
    const keyValue = linear(weights.at('to_kv'), seen, 2 * innerDim, {bias: false});
    const k = ops.slice({x: keyValue}, {axis: 2, start: 0, length: innerDim});
    const v = ops.slice({x: keyValue}, {axis: 2, start: innerDim, length: innerDim});
    // The published modules scale q and k each by dimHead^-1/4, which is this on the scores.
    const attended = ops.attention({q, k, v}, {heads, scale: dimHead ** -0.5, causal: false});
    return linear(weights.at('to_out'), attended, dim, {bias: false});
  });
}

function feedForward(weights: Weights, x: Tensor, mult: number): Tensor {
  const dim = x.dim(-1);
  const hidden = linear(weights.at(1), layerNorm(weights.at(0), x), mult * dim, {bias: false});
  return linear(weights.at(3), ops.unary({x: hidden}, {kind: 'gelu'}), dim, {bias: false});
}
