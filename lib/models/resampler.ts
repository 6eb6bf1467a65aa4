/**
 * The transformers with learnt queries that turn an image, and texts, into tokens: the resampler of IP-Adapter+ and both
 * forms of IPAdapter-Instruct (Rowles et al. 2024, §3.2, fig. 3). They differ only in what the queries attend to, one
 * after the other, in each layer. Weights are below `image_proj`.
 */
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {checkpoint, scoped} from '../graph/trace.ts';
import {add, castTo, layerNorm, linear, linearParts} from '../nn/layers.ts';
import type {Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
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
  /** [B, N, dim], of the products' dtype. */
  readonly context: Tensor;
  /** Name of its attentions and feed-forwards. */
  readonly layers: string;
  /** Hidden width of these feed-forwards, in units of `dim`. */
  readonly feedForwardMult: number;
}

/**
 * Tokens for the UNet's cross-attention: float32 [B, numTokens, crossAttentionDim], from float32 tensors.
 *
 * @param image hidden states of the image encoder before its last layer: [B, N, imageWidth]
 * @param texts text tokens [B, M, textWidth]: none for IP-Adapter+, the instruction for the paper's form of
 *   IPAdapter-Instruct, prompt and instruction for the released one
 * @param dtype of the products inside of a layer; the queries between layers, their norms and the last projection stay
 *   float32, because tokens differ little from each other and their differences would drown in rounding
 */
export function resampler(
  weights: Weights,
  adapter: ResamplerAdapter,
  image: Tensor,
  texts: Texts,
  dtype: DType,
): Tensor {
  const {dim, depth, numTokens, crossAttentionDim} = adapter;
  return scoped(weights.path, () => {
    const streams = checkpoint(() => streamsOf(weights, adapter, image, texts, dtype));
    const queries = castTo(weights.tensor('latents', [1, numTokens, dim]), 'float32');
    let x = ops.broadcastTo({x: queries}, {shape: [image.dim(0), numTokens, dim]});
    for (let layer = 0; layer < depth; layer++) {
      for (const stream of streams) {
        x = checkpoint(() => attend(weights.at(stream.layers, layer), adapter, stream, x, dtype));
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
  dtype: DType,
): Stream[] {
  const imageContext = linear(weights.at('proj_in'), castTo(image, dtype), dim);
  const imageStream = {context: imageContext, layers: 'layers', feedForwardMult};
  return [
    imageStream,
    ...textStreams.flatMap(({text, projection, layers}) => {
      const tokens = texts[text];
      if (tokens === undefined || instruction === undefined) return [];
      const context = linear(weights.at(projection), castTo(tokens, dtype), dim);
      return [{context, layers, feedForwardMult: instruction.feedForwardMult}];
    }),
  ];
}

/** A layer of one stream: attention and a feed-forward network, each added to the float32 latents [B, L, dim]. */
function attend(
  weights: Weights,
  adapter: ResamplerAdapter,
  {context, feedForwardMult}: Stream,
  latents: Tensor,
  dtype: DType,
): Tensor {
  const attended = add(latents, perceiverAttention(weights.at(0), adapter, context, latents));
  return add(attended, feedForward(weights.at(1), attended, feedForwardMult, dtype));
}

/** Attention from float32 latents [B, L, dim] to context [B, N, dim] and latents together; float32 again. */
function perceiverAttention(
  weights: Weights,
  {dim, heads, dimHead}: ResamplerAdapter,
  context: Tensor,
  latents: Tensor,
): Tensor {
  return scoped(weights.path, () => {
    const innerDim = heads * dimHead;
    const normed = castTo(layerNorm(weights.at('norm2'), latents), context.dtype);
    const seen = ops.concat({parts: [layerNorm(weights.at('norm1'), context), normed]}, {axis: 1});
    const q = linear(weights.at('to_q'), normed, innerDim, {bias: false});
    const [k, v] = linearParts(weights.at('to_kv'), seen, innerDim, 2) as [Tensor, Tensor];
    // The published modules scale q and k each by dimHead^-1/4, which is this on the scores.
    const attended = ops.attention({q, k, v}, {heads, scale: dimHead ** -0.5, causal: false});
    return castTo(linear(weights.at('to_out'), attended, dim, {bias: false}), 'float32');
  });
}

/** float32 x [B, L, dim] → the same, products in `dtype`. */
function feedForward(weights: Weights, x: Tensor, mult: number, dtype: DType): Tensor {
  const dim = x.dim(-1);
  const normed = castTo(layerNorm(weights.at(0), x), dtype);
  const hidden = linear(weights.at(1), normed, mult * dim, {bias: false});
  return castTo(linear(weights.at(3), ops.unary({x: hidden}, {kind: 'gelu'}), dim, {bias: false}), 'float32');
}
