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

/** What the cross-attention layers attend to, each list in the order of {@link crossAttentionLayersOf}. */
export type CrossAttentionInputs = {
  readonly textKeyValues: readonly KeyValue[];
  /** An adapter's keys and values of its image tokens; given with `imageScales` or not at all. */
  readonly imageKeyValues?: readonly KeyValue[] | undefined;
  /** float32 [layers, B]: the weight of the image term, layer by layer and sample by sample. */
  readonly imageScales?: Tensor | undefined;
};

/** One layer's part of {@link CrossAttentionInputs}. */
export interface LayerContext {
  readonly text: KeyValue;
  readonly image: (KeyValue & {readonly scale: Tensor}) | undefined;
}

/**
 * Deals the inputs out to the layers, by path.
 *
 * @throws ShapeError where there is not one entry a layer, or image tokens come without scales
 */
export function layerContexts(
  model: string,
  layers: readonly CrossAttentionLayer[],
  {textKeyValues: text, imageKeyValues: image, imageScales}: CrossAttentionInputs,
): Map<string, LayerContext> {
  expectLength(`${model}: textKeyValues`, text, layers.length);
  if (image !== undefined) expectLength(`${model}: imageKeyValues`, image, layers.length);
  const scaled = expectScales(model, layers.length, image, imageScales);
  return new Map(
    layers.map(({path}, index) => [
      path,
      {
        text: text[index]!,
        image: scaled && {...scaled.image[index]!, scale: rowOf(scaled.imageScales, index)},
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

/** Both, or undefined where neither is given. */
function expectScales(
  model: string,
  layers: number,
  image: readonly KeyValue[] | undefined,
  imageScales: Tensor | undefined,
): {readonly image: readonly KeyValue[]; readonly imageScales: Tensor} | undefined {
  if (image === undefined && imageScales === undefined) return undefined;
  if (image === undefined || imageScales === undefined) {
    throw new ShapeError(
      `${model}: expected imageKeyValues and imageScales together; got one of them. Give both or neither.`,
    );
  }
  if (imageScales.rank !== 2 || imageScales.dim(0) !== layers) {
    throw new ShapeError(
      `${model}: imageScales: expected f32[${layers}, batch]; got ${formatType(imageScales)}. ` +
        'Give a row for each cross-attention layer.',
    );
  }
  return {image, imageScales};
}
