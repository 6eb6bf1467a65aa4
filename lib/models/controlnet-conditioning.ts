import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {conv2d, silu} from '../nn/layers.ts';
import {fromChannelsFirst} from '../nn/picture-layout.ts';
import type {Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import type {ControlNetConfig} from './controlnet-config.ts';

/**
 * The control picture at the latents' size and width. Constant over a generation, so that it runs once.
 *
 * @param image float32 [B, 3, H, W] in [0, 1], red first
 * @returns [B, h, w, blockOutChannels[0]] of `dtype`, for `controlNet`
 */
export function controlNetConditioning(
  weights: Weights,
  config: ControlNetConfig,
  image: Tensor,
  dtype: DType,
): Tensor {
  const place = weights.at('controlnet_cond_embedding');
  const [width, ...wider] = config.conditioningEmbeddingOutChannels as [number, ...number[]];
  const ordered = config.controlnetConditioningChannelOrder === 'bgr' ? reverseChannels(image) : image;
  let hidden = silu(conv2d(place.at('conv_in'), fromChannelsFirst(ordered, dtype), width));
  for (const [index, channels] of wider.entries()) {
    const same = conv2d(place.at('blocks', 2 * index), hidden, hidden.dim(3));
    hidden = silu(conv2d(place.at('blocks', 2 * index + 1), silu(same), channels, {stride: 2}));
  }
  return conv2d(place.at('conv_out'), hidden, config.blockOutChannels[0]!);
}

/** [B, C, H, W] with the last channel first. */
function reverseChannels(image: Tensor): Tensor {
  const channels = Array.from({length: image.dim(1)}, (_, start) =>
    ops.slice({x: image}, {axis: 1, start, length: 1}),
  );
  return ops.concat({parts: channels.reverse()}, {axis: 1});
}
