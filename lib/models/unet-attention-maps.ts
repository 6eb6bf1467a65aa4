/**
 * The denoiser, observed: where in the picture the tokens of images are attended (cf. Tang et al. 2023, What the DAAM).
 */
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import {crossAttentionLayers, type UNetInputs, unet} from './unet.ts';
import {attentionWeights} from './unet-blocks/attention-weights.ts';
import type {UNetConfig} from './unet-config.ts';

/** A type, not an interface: it is a tree of tensors. */
export type ObservedUNet = {
  /** As of {@link unet}: float32 [B, outChannels, h, w]. */
  readonly prediction: Tensor;
  /**
   * By layer, in the order of {@link crossAttentionLayers}, then image: the softmax weights of its tokens at each position,
   * averaged over heads, before the image's scale and mask. float32 [B, h', w', tokens] in the layer's own size.
   */
  readonly attentionMaps: readonly (readonly Tensor[])[];
};

/**
 * As {@link unet}, which computes the same bits, with what its cross-attentions weigh the images' tokens by.
 *
 * @throws ShapeError as {@link unet}
 */
export function unetWithAttentionMaps(
  weights: Weights,
  config: UNetConfig,
  inputs: UNetInputs,
  dtype: DType,
): ObservedUNet {
  const maps = new Map<string, Tensor[]>();
  const prediction = unet(weights, config, inputs, dtype, ({path, query, images, options, height, width}) => {
    const ofImages = images.map(({key}) => {
      const shape = [query.dim(0), height, width, key.dim(1)];
      return ops.reshape({x: attentionWeights(query, key, options)}, {shape});
    });
    maps.set(path, ofImages);
  });
  return {prediction, attentionMaps: crossAttentionLayers(config).map(({path}) => maps.get(path)!)};
}
