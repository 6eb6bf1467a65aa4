/**
 * The projections of IP-Adapters that treat each image feature by itself. Weights are below `image_proj`.
 */
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {scoped} from '../graph/trace.ts';
import {layerNorm, linear} from '../nn/layers.ts';
import type {Weights} from '../nn/weights.ts';
import type {ClassicAdapter, FullFaceAdapter} from '../weights/adapter-kind.ts';

/**
 * IP-Adapter (Ye et al. 2023, §3.2.1): pooled image embeddings [B, imageWidth] → tokens
 * [B, numTokens, crossAttentionDim], by one linear layer and a layer norm.
 */
export function linearProjection(
  weights: Weights,
  {numTokens, crossAttentionDim}: ClassicAdapter,
  imageEmbeds: Tensor,
): Tensor {
  return scoped(weights.path, () => {
    const projected = linear(weights.at('proj'), imageEmbeds, numTokens * crossAttentionDim);
    const tokens = ops.reshape({x: projected}, {shape: [imageEmbeds.dim(0), numTokens, crossAttentionDim]});
    return layerNorm(weights.at('norm'), tokens);
  });
}

/**
 * IP-Adapter full-face: hidden states [B, N, imageWidth] → tokens [B, N, crossAttentionDim], by a perceptron of two
 * layers and a layer norm (`MLPProjModel` of the IP-Adapter code).
 */
export function perceptronProjection(
  weights: Weights,
  {hiddenWidth, crossAttentionDim}: FullFaceAdapter,
  imageStates: Tensor,
): Tensor {
  return scoped(weights.path, () => {
    const hidden = linear(weights.at('proj', 0), imageStates, hiddenWidth);
    const projected = linear(
      weights.at('proj', 2),
      ops.unary({x: hidden}, {kind: 'gelu'}),
      crossAttentionDim,
    );
    return layerNorm(weights.at('proj', 3), projected);
  });
}
