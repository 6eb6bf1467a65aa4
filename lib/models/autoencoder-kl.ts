/**
 * The autoencoder of Stable Diffusion: diffusers' `AutoencoderKL` (Rombach et al. 2022, §3.1).
 */
import {z} from 'zod';
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {input, scoped} from '../graph/trace.ts';
import {add, conv2d, groupNorm, linear, silu, toPicture, toTokens} from '../nn/layers.ts';
import {fromChannelsFirst, toChannelsFirst} from '../nn/picture-layout.ts';
import {resnetBlock, upsampler} from '../nn/resnet-block.ts';
import {collectWeightShapes, type Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import {only, parseModelConfig} from './parse-model-config.ts';

/** Settings of an autoencoder, as read by {@link parseAutoencoderKLConfig}. */
export interface AutoencoderKLConfig {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly latentChannels: number;
  /** One entry a block, the one at full size first; each but the last halves height and width. */
  readonly blockOutChannels: readonly number[];
  /** Residual blocks in each block of the encoder; the decoder has one more. */
  readonly layersPerBlock: number;
  readonly normNumGroups: number;
  /** Latents of the diffusion model are those of the autoencoder times this. */
  readonly scalingFactor: number;
  readonly midBlockAddAttention: boolean;
  readonly useQuantConv: boolean;
  readonly usePostQuantConv: boolean;
}

const count = z.int().positive();

const schema = z.object({
  inChannels: count.default(3),
  outChannels: count.default(3),
  latentChannels: count.default(4),
  blockOutChannels: z.array(count).min(1).default([64]),
  downBlockTypes: z.array(z.literal('DownEncoderBlock2D')).default(['DownEncoderBlock2D']),
  upBlockTypes: z.array(z.literal('UpDecoderBlock2D')).default(['UpDecoderBlock2D']),
  layersPerBlock: count.default(1),
  normNumGroups: count.default(32),
  scalingFactor: z.number().positive().default(0.18215),
  midBlockAddAttention: z.boolean().default(true),
  useQuantConv: z.boolean().default(true),
  usePostQuantConv: z.boolean().default(true),
  actFn: only('silu'),
  // Latents of other model families are shifted or normalised by channel.
  shiftFactor: only(0),
  latentsMean: z.never('expected none').optional(),
  latentsStd: z.never('expected none').optional(),
});

/**
 * Reads an autoencoder's `config.json`, with diffusers' defaults.
 *
 * @throws ArgumentError that names every setting that is wrong or not supported
 */
export function parseAutoencoderKLConfig(json: unknown): AutoencoderKLConfig {
  return parseModelConfig('AutoencoderKL', schema.check(checkBlocks), json);
}

function checkBlocks({value, issues}: z.core.ParsePayload<z.output<typeof schema>>): void {
  for (const key of ['downBlockTypes', 'upBlockTypes'] as const) {
    if (value[key].length === value.blockOutChannels.length) continue;
    const message = `expected ${value.blockOutChannels.length} entries, as many as block_out_channels`;
    issues.push({code: 'custom', message, input: value[key], path: [key]});
  }
}

/** The distribution of latents, diagonal and normal: float32 [B, latentChannels, h, w]. */
export type LatentDistribution = {
  readonly mean: Tensor;
  /** Logarithm of the variance as the network gives it; diffusers clamps it to -30 … 20 before it takes samples. */
  readonly logvar: Tensor;
};

/**
 * The latents of pictures: image float32 [B, inChannels, H, W] from -1 to 1 → float32 [B, latentChannels, h, w], each of
 * h and w a half, rounded down, of H and W for every block but one. Not multiplied by `scalingFactor` yet.
 */
export function vaeEncode(
  weights: Weights,
  config: AutoencoderKLConfig,
  {image}: {readonly image: Tensor},
  dtype: DType,
): LatentDistribution {
  const {latentChannels} = config;
  const encoded = encoder(weights.at('encoder'), config, fromChannelsFirst(image, dtype));
  const moments = toChannelsFirst(
    config.useQuantConv
      ? conv2d(weights.at('quant_conv'), encoded, 2 * latentChannels, {kernelSize: 1})
      : encoded,
  );
  const part = (start: number) => ops.slice({x: moments}, {axis: 1, start, length: latentChannels});
  return {mean: part(0), logvar: part(latentChannels)};
}

/**
 * The pictures of latents: latents float32 [B, latentChannels, h, w], divided by `scalingFactor` already → float32
 * [B, outChannels, H, W], about -1 to 1, each of H and W twice h and w for every block but one.
 */
export function vaeDecode(
  weights: Weights,
  config: AutoencoderKLConfig,
  {latents}: {readonly latents: Tensor},
  dtype: DType,
): Tensor {
  const x = fromChannelsFirst(latents, dtype);
  const unquantized = config.usePostQuantConv
    ? conv2d(weights.at('post_quant_conv'), x, config.latentChannels, {kernelSize: 1})
    : x;
  return toChannelsFirst(decoder(weights.at('decoder'), config, unquantized));
}

/** Names and shapes of the autoencoder's weights. */
export function describeAutoencoderKLWeights(config: AutoencoderKLConfig): Map<string, readonly number[]> {
  const size = 2 ** (config.blockOutChannels.length - 1);
  return collectWeightShapes('vae', weights => {
    const image = input('image', {shape: [1, config.inChannels, size, size], dtype: 'float32'});
    const latents = input('latents', {shape: [1, config.latentChannels, 1, 1], dtype: 'float32'});
    vaeEncode(weights, config, {image}, 'float32');
    vaeDecode(weights, config, {latents}, 'float32');
  });
}

function encoder(weights: Weights, config: AutoencoderKLConfig, image: Tensor): Tensor {
  const {blockOutChannels, layersPerBlock, latentChannels} = config;
  let x = conv2d(weights.at('conv_in'), image, blockOutChannels[0]!);
  for (const [index, channels] of blockOutChannels.entries()) {
    const block = weights.at('down_blocks', index);
    x = resnets(block, config, x, channels, layersPerBlock);
    if (index === blockOutChannels.length - 1) continue;
    // Padded below and on the right only.
    x = conv2d(block.at('downsamplers', 0, 'conv'), x, channels, {stride: 2, padding: [0, 0, 1, 1]});
  }
  x = midBlock(weights.at('mid_block'), config, x);
  return convOut(weights, config, x, 2 * latentChannels);
}

function decoder(weights: Weights, config: AutoencoderKLConfig, latents: Tensor): Tensor {
  const {blockOutChannels, layersPerBlock, outChannels} = config;
  let x = conv2d(weights.at('conv_in'), latents, blockOutChannels.at(-1)!);
  x = midBlock(weights.at('mid_block'), config, x);
  for (const [index, channels] of [...blockOutChannels].reverse().entries()) {
    const block = weights.at('up_blocks', index);
    x = resnets(block, config, x, channels, layersPerBlock + 1);
    if (index === blockOutChannels.length - 1) continue;
    x = upsampler(block.at('upsamplers', 0), x, 2 * x.dim(1), 2 * x.dim(2));
  }
  return convOut(weights, config, x, outChannels);
}

function midBlock(weights: Weights, config: AutoencoderKLConfig, x: Tensor): Tensor {
  const channels = x.dim(3);
  const before = resnetBlock(weights.at('resnets', 0), x, channels, normOptions(config));
  const between = config.midBlockAddAttention
    ? spatialAttention(weights.at('attentions', 0), config, before)
    : before;
  return resnetBlock(weights.at('resnets', 1), between, channels, normOptions(config));
}

function resnets(
  weights: Weights,
  config: AutoencoderKLConfig,
  sample: Tensor,
  channels: number,
  layers: number,
): Tensor {
  let x = sample;
  for (let layer = 0; layer < layers; layer++) {
    x = resnetBlock(weights.at('resnets', layer), x, channels, normOptions(config));
  }
  return x;
}

/** Attention of one head, as wide as all channels, between all pixels of x [B, H, W, C]; plus x. */
function spatialAttention(weights: Weights, config: AutoencoderKLConfig, x: Tensor): Tensor {
  const [, height, width, channels] = x.shape as [number, number, number, number];
  return scoped(weights.path, () => {
    const tokens = toTokens(groupNorm(weights.at('group_norm'), x, normOptions(config)));
    const q = linear(weights.at('to_q'), tokens, channels);
    const k = linear(weights.at('to_k'), tokens, channels);
    const v = linear(weights.at('to_v'), tokens, channels);
    const attended = ops.attention({q, k, v}, {heads: 1, scale: channels ** -0.5, causal: false});
    const projected = linear(weights.at('to_out', 0), attended, channels);
    return toPicture(add(toTokens(x), projected), height, width);
  });
}

function convOut(weights: Weights, config: AutoencoderKLConfig, x: Tensor, channels: number): Tensor {
  const normed = silu(groupNorm(weights.at('conv_norm_out'), x, normOptions(config)));
  return conv2d(weights.at('conv_out'), normed, channels);
}

function normOptions({normNumGroups}: AutoencoderKLConfig): {groups: number; epsilon: number} {
  return {groups: normNumGroups, epsilon: 1e-6};
}
