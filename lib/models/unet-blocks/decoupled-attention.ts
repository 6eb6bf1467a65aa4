import {ShapeError} from '../../errors.ts';
import * as ops from '../../graph/ops/index.ts';
import {formatType, type Tensor} from '../../graph/tensor.ts';
import {add, castTo} from '../../nn/layers.ts';
import type {AttentionOptions, KeyValue, LayerImage} from './cross-attention.ts';

/**
 * Attention over the text plus, for each image, its weight times attention over the image's tokens (Ye et al. 2023, eq. 5;
 * with masks and several images as diffusers' `IPAdapterAttnProcessor2_0`). The first image without a mask shares one
 * kernel with the text.
 *
 * @param q [B, N, C]
 * @returns [B, N, C]
 */
export function decoupledAttention(
  q: Tensor,
  {key: k, value: v}: KeyValue,
  images: readonly LayerImage[],
  options: AttentionOptions,
): Tensor {
  const fused = images.find(({masks}) => masks === undefined);
  const attended =
    fused === undefined
      ? ops.attention({q, k, v}, {...options, causal: false})
      : ops.decoupledAttention(
          {q, k, v, image_k: fused.key, image_v: fused.value, image_scale: fused.scale},
          options,
        );
  return images
    .filter(image => image !== fused)
    .reduce((sum, image) => add(sum, weighedAttention(q, image, options)), attended);
}

function weighedAttention(q: Tensor, image: LayerImage, options: AttentionOptions): Tensor {
  const attended = ops.attention({q, k: image.key, v: image.value}, {...options, causal: false});
  return ops.binary({a: attended, b: castTo(weightsOf(q, image), q.dtype)}, {kind: 'multiply'});
}

/** float32 [B, 1 or N, 1] */
function weightsOf(q: Tensor, {scale, masks}: LayerImage): Tensor {
  const scales = ops.reshape({x: scale}, {shape: [q.dim(0), 1, 1]});
  if (masks === undefined) return scales;
  const pixels = q.dim(1);
  const mask = masks.find(({shape}) => shape[1] === pixels);
  if (mask === undefined) {
    throw new ShapeError(
      `masks: expected one of ${pixels} pixels, which a level of the model has; got ${masks.map(formatType).join(', ')}. ` +
        'Give one for the size of each level.',
    );
  }
  const rows = ops.reshape({x: mask}, {shape: [mask.dim(0), pixels, 1]});
  return ops.binary({a: rows, b: scales}, {kind: 'multiply'});
}
