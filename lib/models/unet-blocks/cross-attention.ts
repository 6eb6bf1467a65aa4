/**
 * The cross-attention layers of a UNet or ControlNet, and the keys and values that they read.
 */
import {ShapeError} from '../../errors.ts';
import * as ops from '../../graph/ops/index.ts';
import {formatType, type Tensor} from '../../graph/tensor.ts';
import {castTo, linear} from '../../nn/layers.ts';
import type {Weights} from '../../nn/weights.ts';
import type {DType} from '../../runtime/dtype.ts';
import type {BlockPlan, ModelPlan} from './block-plan.ts';

export interface AttentionOptions {
  readonly heads: number;
  readonly scale: number;
}

/** Keys and values of one layer: [B, N, channels] each. A type, not an interface: it is a node of input trees. */
export type KeyValue = {readonly key: Tensor; readonly value: Tensor};

/** One `attn2`: where it stands and what it needs. */
export interface CrossAttentionLayer {
  /** Path of its weights, e.g. `down_blocks.0.attentions.0.transformer_blocks.0.attn2`. */
  readonly path: string;
  readonly channels: number;
  readonly heads: number;
  /** Index among diffusers' `attn_processors`, self-attention included: the number in adapter files (1, 3, 5, …). */
  readonly adapterIndex: number;
  /** `down.block_0`, `mid`, `up.block_1`: as adapter scales name blocks. */
  readonly block: string;
  /** Which of the block's transformers it belongs to. */
  readonly attentionIndex: number;
}

/** In the order of diffusers' `attn_processors`: down, up, then mid. */
export function crossAttentionLayersOf({down, mid, up}: ModelPlan): CrossAttentionLayer[] {
  return [...down, ...up, ...mid]
    .flatMap(layersOfBlock)
    .map((layer, index) => ({...layer, adapterIndex: 2 * index + 1}));
}

function layersOfBlock(block: BlockPlan): Omit<CrossAttentionLayer, 'adapterIndex'>[] {
  const transformers = block.layers.flatMap(({transformer}) =>
    transformer === undefined ? [] : [transformer],
  );
  return transformers.flatMap(({blocks, channels, heads}, attentionIndex) =>
    blocks.map(path => ({path: `${path}.attn2`, channels, heads, block: block.name, attentionIndex})),
  );
}

/**
 * Text keys and values of every layer. Constant over a generation, so that they run once.
 *
 * @param encoderHiddenStates float32 [B, N, crossAttentionDim]
 * @returns one entry a layer, of `dtype`
 */
export function textKeyValues(
  weights: Weights,
  layers: readonly CrossAttentionLayer[],
  encoderHiddenStates: Tensor,
  dtype: DType,
): KeyValue[] {
  const tokens = castTo(encoderHiddenStates, dtype);
  return layers.map(({path, channels}) => ({
    key: linear(weights.at(path, 'to_k'), tokens, channels, {bias: false}),
    value: linear(weights.at(path, 'to_v'), tokens, channels, {bias: false}),
  }));
}

/**
 * Tokens that an adapter makes of an image, or of several, as all layers attend to them. A type, not an interface: it is a
 * node of input trees.
 */
export type ImageTerm = {
  /** In the order of {@link crossAttentionLayersOf}. */
  readonly keyValues: readonly KeyValue[];
  /** float32 [layers, B]: the term's weight, layer by layer and row by row. */
  readonly scales: Tensor;
  /**
   * float32 [1 or B, N], 0 … 1: the term's weight at each pixel of a level, in rows. One for each number of pixels N that
   * levels with cross-attention have; without them it counts everywhere.
   */
  readonly masks?: readonly Tensor[] | undefined;
};

/** What the cross-attention layers attend to. */
export type CrossAttentionInputs = {
  /** In the order of {@link crossAttentionLayersOf}. */
  readonly textKeyValues: readonly KeyValue[];
  readonly images?: readonly ImageTerm[] | undefined;
};

/** One layer's part of an {@link ImageTerm}. */
export interface LayerImage extends KeyValue {
  /** float32 [B]. */
  readonly scale: Tensor;
  readonly masks: readonly Tensor[] | undefined;
}

/** One layer's part of {@link CrossAttentionInputs}. */
export interface LayerContext {
  /** As of {@link CrossAttentionLayer}. */
  readonly path: string;
  readonly text: KeyValue;
  readonly images: readonly LayerImage[];
}

/** What a cross-attention reads. */
export interface ObservedCrossAttention extends Pick<LayerContext, 'path' | 'images'> {
  /** [B, height · width, C] */
  readonly query: Tensor;
  readonly options: AttentionOptions;
  readonly height: number;
  readonly width: number;
}

/** Called while tracing, right after a cross-attention was recorded; it may record what is computed beside the model. */
export type CrossAttentionObserver = (observed: ObservedCrossAttention) => void;

/**
 * Deals the inputs out to the layers, by path.
 *
 * @throws ShapeError where there is not one entry a layer
 */
export function layerContexts(
  model: string,
  layers: readonly CrossAttentionLayer[],
  {textKeyValues: text, images = []}: CrossAttentionInputs,
): Map<string, LayerContext> {
  expectLength(`${model}: textKeyValues`, text, layers.length);
  for (const [number, {keyValues, scales}] of images.entries()) {
    expectLength(`${model}: images[${number}].keyValues`, keyValues, layers.length);
    if (scales.rank === 2 && scales.dim(0) === layers.length) continue;
    throw new ShapeError(
      `${model}: images[${number}].scales: expected f32[${layers.length}, batch]; got ${formatType(scales)}. ` +
        'Give a row for each cross-attention layer.',
    );
  }
  return new Map(
    layers.map(({path}, index) => [
      path,
      {
        path,
        text: text[index]!,
        images: images.map(({keyValues, scales, masks}) => ({
          ...keyValues[index]!,
          scale: rowOf(scales, index),
          masks,
        })),
      },
    ]),
  );
}

/** Row `index` of a matrix [rows, B], as [B]. */
function rowOf(matrix: Tensor, index: number): Tensor {
  const row = ops.slice({x: matrix}, {axis: 0, start: index, length: 1});
  return ops.reshape({x: row}, {shape: [matrix.dim(1)]});
}

function expectLength(name: string, values: readonly KeyValue[], length: number): void {
  if (values.length === length) return;
  throw new ShapeError(
    `${name}: expected ${length} entries, one for each cross-attention layer; got ${values.length}. ` +
      'Make them with the same config.',
  );
}
