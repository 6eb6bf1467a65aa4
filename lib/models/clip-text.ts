/**
 * CLIP's text tower: transformers' `CLIPTextModel` and `CLIPTextModelWithProjection`, under the tensor names of the
 * published files.
 */
import {z} from 'zod';
import {ArgumentError} from '../errors.ts';
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {input, scoped} from '../graph/trace.ts';
import {add, castTo, embedding, layerNorm, linear} from '../nn/layers.ts';
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

/** Settings of a text tower, as read by {@link parseClipTextConfig}. */
export interface ClipTextConfig extends ClipEncoderConfig {
  readonly vocabSize: number;
  readonly maxPositionEmbeddings: number;
  readonly eosTokenId: number;
  /** Channels of the embedding that text and images share; undefined for a tower without a projection. */
  readonly projectionDim: number | undefined;
}

const PROJECTING_ARCHITECTURES: readonly string[] = ['CLIPTextModelWithProjection', 'CLIPModel'];

const schema = z
  .object({
    ...clipEncoderFields,
    hiddenSize: z.int().positive().default(512),
    intermediateSize: z.int().positive().default(2048),
    numAttentionHeads: z.int().positive().default(8),
    vocabSize: z.int().positive().default(49408),
    maxPositionEmbeddings: z.int().positive().default(77),
    eosTokenId: z.int().nonnegative().default(49407),
    projectionDim: z.int().positive().default(512),
    architectures: z.array(z.string()).default([]),
  })
  .check(checkHeads);

/**
 * Reads a text tower's `config.json`, or the text part of a whole `CLIPModel`'s, with transformers' defaults.
 *
 * @throws ArgumentError that names every setting that is wrong or not supported
 */
export function parseClipTextConfig(json: unknown): ClipTextConfig {
  const settings = towerSettings(json, 'text_config');
  const {architectures, projectionDim, ...config} = parseModelConfig('CLIP text model', schema, settings);
  const projects = architectures.some(name => PROJECTING_ARCHITECTURES.includes(name));
  return {...config, projectionDim: projects ? projectionDim : undefined};
}

/**
 * Hidden states of texts, through the final layer norm: inputIds int32 [B, N] → float32 [B, N, hiddenSize].
 *
 * @param clipSkip how many layers at the end are left out: `hidden_states[-(clipSkip + 1)]` is what is normalised, as in
 *   diffusers
 * @throws ArgumentError where there are fewer than `clipSkip` layers
 */
export function clipText(
  weights: Weights,
  config: ClipTextConfig,
  {inputIds}: {readonly inputIds: Tensor},
  dtype: DType,
  clipSkip = 0,
): Tensor {
  return castTo(normalizedState(weights.at('text_model'), config, inputIds, dtype, clipSkip), 'float32');
}

/**
 * Embeddings of texts in the space that they share with images (`text_embeds`): inputIds int32 [B, N] and the place of
 * each text's end marker, int32 [B] (see {@link endOfTextIndices}) → float32 [B, projectionDim].
 *
 * @throws ArgumentError where the tower has no projection
 */
export function clipTextEmbeds(
  weights: Weights,
  config: ClipTextConfig,
  {inputIds, endIndices}: {readonly inputIds: Tensor; readonly endIndices: Tensor},
  dtype: DType,
): Tensor {
  if (config.projectionDim === undefined) {
    throw new ArgumentError(
      `${weights.path}: expected a CLIPTextModelWithProjection; got a CLIPTextModel, which gives no embeddings of ` +
        'whole texts. Choose a text encoder with a projection.',
    );
  }
  const x = normalizedState(weights.at('text_model'), config, inputIds, dtype, 0);
  const pooled = ops.gatherTokens({x, index: endIndices});
  return castTo(
    linear(weights.at('text_projection'), pooled, config.projectionDim, {bias: false}),
    'float32',
  );
}

/**
 * Where each text ends, for {@link clipTextEmbeds}: the first end marker. In configs from before the end marker's id
 * was put right it reads 2; the place is then that of the largest id, as in transformers.
 *
 * @param inputIds token ids of each text
 * @throws ArgumentError where a text has no end marker
 */
export function endOfTextIndices(
  {eosTokenId}: Pick<ClipTextConfig, 'eosTokenId'>,
  inputIds: readonly Int32Array[],
): Int32Array {
  return Int32Array.from(inputIds, (ids, sample) => {
    const index = ids.indexOf(eosTokenId === LEGACY_EOS_TOKEN_ID ? Math.max(...ids) : eosTokenId);
    if (index >= 0) return index;
    throw new ArgumentError(
      `inputIds[${sample}]: expected an end marker (token ${eosTokenId}); got none in ${ids.length} tokens. ` +
        "Encode the text with the model's own tokenizer.",
    );
  });
}

const LEGACY_EOS_TOKEN_ID = 2;

/** Names and shapes of the tower's weights. */
export function describeClipTextWeights(config: ClipTextConfig): Map<string, readonly number[]> {
  return collectWeightShapes('text_encoder', weights => {
    const inputIds = input('inputIds', {shape: [1, 1], dtype: 'int32'});
    const endIndices = input('endIndices', {shape: [1], dtype: 'int32'});
    if (config.projectionDim === undefined) clipText(weights, config, {inputIds}, 'float32');
    else clipTextEmbeds(weights, config, {inputIds, endIndices}, 'float32');
  });
}

function normalizedState(
  weights: Weights,
  config: ClipTextConfig,
  inputIds: Tensor,
  dtype: DType,
  clipSkip: number,
): Tensor {
  const embedded = embedTokens(weights.at('embeddings'), config, inputIds, dtype);
  const states = clipHiddenStates(weights.at('encoder'), embedded, config, {causal: true});
  const state = Number.isInteger(clipSkip) && clipSkip >= 0 ? states.at(-(clipSkip + 1)) : undefined;
  if (state === undefined) {
    throw new ArgumentError(
      `clipSkip: expected a whole number from 0 to ${config.numHiddenLayers}, the number of layers; ` +
        `got ${clipSkip}.`,
    );
  }
  return layerNorm(weights.at('final_layer_norm'), state, config.layerNormEps);
}

/** Token plus position embeddings: ids [B, N] → [B, N, hiddenSize]. */
function embedTokens(weights: Weights, config: ClipTextConfig, inputIds: Tensor, dtype: DType): Tensor {
  const {vocabSize: rows, maxPositionEmbeddings, hiddenSize: channels} = config;
  const length = inputIds.dim(1);
  return scoped(weights.path, () => {
    const tokens = embedding(weights.at('token_embedding'), inputIds, {rows, channels, dtype});
    const table = weights.tensor('position_embedding.weight', [maxPositionEmbeddings, channels]);
    const positions = castTo(ops.slice({x: table}, {axis: 0, start: 0, length}), dtype);
    return add(tokens, ops.reshape({x: positions}, {shape: [1, length, channels]}));
  });
}
