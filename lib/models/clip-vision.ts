/**
 * CLIP's image tower with its projection: transformers' `CLIPVisionModelWithProjection`.
 */
import {z} from 'zod';
import {ShapeError} from '../errors.ts';
import * as ops from '../graph/ops/index.ts';
import {formatType, type Tensor} from '../graph/tensor.ts';
import {input, scoped} from '../graph/trace.ts';
import {add, castTo, conv2d, layerNorm, linear, toTokens} from '../nn/layers.ts';
import {fromChannelsFirst} from '../nn/picture-layout.ts';
import {collectWeightShapes, type Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import {
  type ClipEncoderConfig,
  checkHeads,
  clipEncoderFields,
  clipHiddenStates,
  towerSettings,
} from './clip-encoder.ts';
import {parseModelConfig} from './parse-model-config.ts';

/** Settings of an image tower, as read by {@link parseClipVisionConfig}. */
export interface ClipVisionConfig extends ClipEncoderConfig {
  readonly numChannels: number;
  /** Height and width of the pictures that it takes. */
  readonly imageSize: number;
  readonly patchSize: number;
  /** Channels of the embedding that images and texts share. */
  readonly projectionDim: number;
}

const schema = z
  .object({
    ...clipEncoderFields,
    hiddenSize: z.int().positive().default(768),
    intermediateSize: z.int().positive().default(3072),
    numAttentionHeads: z.int().positive().default(12),
    numChannels: z.int().positive().default(3),
    imageSize: z.int().positive().default(224),
    patchSize: z.int().positive().default(32),
    projectionDim: z.int().positive().default(512),
  })
  .check(checkHeads);

/**
 * Reads an image tower's `config.json`, or the vision part of a whole `CLIPModel`'s, with transformers' defaults.
 *
 * @throws ArgumentError that names every setting that is wrong or not supported
 */
export function parseClipVisionConfig(json: unknown): ClipVisionConfig {
  return parseModelConfig('CLIP vision model', schema, towerSettings(json, 'vision_config'));
}

export type ClipVisionInputs = {
  /** float32 [B, numChannels, imageSize, imageSize], normalised as CLIP's preprocessor does. */
  readonly pixelValues: Tensor;
};

/**
 * What the second to last layer gives (`hidden_states[-2]`), class token first: float32 [B, 1 + patches, hiddenSize].
 * IP-Adapter+ and IPAdapter-Instruct read the image from it.
 */
export function clipVisionPenultimate(
  weights: Weights,
  config: ClipVisionConfig,
  {pixelValues}: ClipVisionInputs,
  dtype: DType,
): Tensor {
  return castTo(hiddenStates(weights.at('vision_model'), config, pixelValues, dtype).at(-2)!, 'float32');
}

/** Embeddings of images in the space that they share with texts (`image_embeds`): float32 [B, projectionDim]. */
export function clipVisionEmbeds(
  weights: Weights,
  config: ClipVisionConfig,
  {pixelValues}: ClipVisionInputs,
  dtype: DType,
): Tensor {
  const tower = weights.at('vision_model');
  const last = hiddenStates(tower, config, pixelValues, dtype).at(-1)!;
  const classToken = ops.reshape(
    {x: ops.slice({x: last}, {axis: 1, start: 0, length: 1})},
    {shape: [last.dim(0), config.hiddenSize]},
  );
  const pooled = layerNorm(tower.at('post_layernorm'), classToken, config.layerNormEps);
  const embeds = linear(weights.at('visual_projection'), pooled, config.projectionDim, {bias: false});
  return castTo(embeds, 'float32');
}

/** Names and shapes of the tower's weights. */
export function describeClipVisionWeights(config: ClipVisionConfig): Map<string, readonly number[]> {
  return collectWeightShapes('image_encoder', weights => {
    const shape = [1, config.numChannels, config.imageSize, config.imageSize];
    const pixelValues = input('pixelValues', {shape, dtype: 'float32'});
    clipVisionEmbeds(weights, config, {pixelValues}, 'float32');
  });
}

function hiddenStates(
  weights: Weights,
  config: ClipVisionConfig,
  pixelValues: Tensor,
  dtype: DType,
): readonly Tensor[] {
  const {numChannels, imageSize} = config;
  const [, channels, height, width] = pixelValues.shape;
  if (channels !== numChannels || height !== imageSize || width !== imageSize) {
    throw new ShapeError(
      `${weights.path}: expected pixelValues [B, ${numChannels}, ${imageSize}, ${imageSize}]; ` +
        `got ${formatType(pixelValues)}. Resize the pictures to the encoder's image_size.`,
    );
  }
  const embedded = embedPatches(weights.at('embeddings'), config, fromChannelsFirst(pixelValues, dtype));
  // The published files spell it so.
  const normed = layerNorm(weights.at('pre_layrnorm'), embedded, config.layerNormEps);
  return clipHiddenStates(weights.at('encoder'), normed, config, {causal: false});
}

/** A class token, then the patches row by row, plus their positions: [B, H, W, C] → [B, 1 + patches, hiddenSize]. */
function embedPatches(weights: Weights, config: ClipVisionConfig, pixels: Tensor): Tensor {
  const {hiddenSize, imageSize, patchSize} = config;
  const {dtype} = pixels;
  return scoped(weights.path, () => {
    const patches = conv2d(weights.at('patch_embedding'), pixels, hiddenSize, {
      kernelSize: patchSize,
      stride: patchSize,
      padding: 0,
      bias: false,
    });
    const classEmbedding = castTo(weights.tensor('class_embedding', [hiddenSize]), dtype);
    const classToken = ops.broadcastTo(
      {x: ops.reshape({x: classEmbedding}, {shape: [1, 1, hiddenSize]})},
      {shape: [pixels.dim(0), 1, hiddenSize]},
    );
    const tokens = ops.concat({parts: [classToken, toTokens(patches)]}, {axis: 1});
    const positions = Math.floor(imageSize / patchSize) ** 2 + 1;
    const table = castTo(weights.tensor('position_embedding.weight', [positions, hiddenSize]), dtype);
    return add(tokens, ops.reshape({x: table}, {shape: [1, positions, hiddenSize]}));
  });
}
