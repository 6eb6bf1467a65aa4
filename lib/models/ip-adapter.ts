/**
 * IP-Adapters of all kinds that the package runs: from an image, and an instruction, to what the UNet's decoupled
 * cross-attention reads (Ye et al. 2023; Rowles et al. 2024).
 */
import {ArgumentError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import {checkpoint, input} from '../graph/trace.ts';
import {castTo, linear} from '../nn/layers.ts';
import {collectWeightShapes, type Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import type {AdapterDescription} from '../weights/adapter-kind.ts';
import {linearProjection, perceptronProjection} from './image-projection.ts';
import {type AdapterText, resampler} from './resampler.ts';
import type {CrossAttentionLayer, KeyValue} from './unet.ts';

/** All float32 and of one batch size. Texts are those that {@link adapterTexts} names, and no others. */
export type ImageTokensInputs = {
  /** Pooled embeddings [B, imageWidth] for the kind `classic`, hidden states [B, N, imageWidth] for all others. */
  readonly image: Tensor;
  /** Text tokens [B, M, textWidth]. */
  readonly prompt?: Tensor | undefined;
  /** Text tokens [B, M, textWidth]. */
  readonly instruction?: Tensor | undefined;
};

/** The texts that an adapter attends to besides the image, in the order in which it does. */
export function adapterTexts({kind}: Pick<AdapterDescription, 'kind'>): readonly AdapterText[] {
  if (kind === 'instruct') return ['prompt', 'instruction'];
  return kind === 'instruct-paper' ? ['instruction'] : [];
}

/**
 * What the adapter takes from an image, as tokens that stand beside those of the prompt: float32
 * [B, tokens, crossAttentionDim]. Full-face adapters give a token for each hidden state, the others `numTokens`.
 *
 * @param dtype of a resampler's products; the other kinds, which are small, compute in float32
 * @throws ArgumentError where a text that the adapter attends to is missing, or one is given that it would ignore
 */
export function imageTokens(
  weights: Weights,
  adapter: AdapterDescription,
  inputs: ImageTokensInputs,
  dtype: DType,
): Tensor {
  const {image, ...texts} = inputs;
  for (const name of ['prompt', 'instruction'] as const) expectText(adapter, name, texts[name] !== undefined);
  const projection = weights.at('image_proj');
  switch (adapter.kind) {
    case 'classic':
      return linearProjection(projection, adapter, image);
    case 'full-face':
      return perceptronProjection(projection, adapter, image);
    default:
      return resampler(projection, adapter, image, texts, dtype);
  }
}

function expectText(adapter: AdapterDescription, name: AdapterText, given: boolean): void {
  const attends = adapterTexts(adapter).includes(name);
  if (attends === given) return;
  const [expected, got] = attends ? ['text tokens', 'none'] : ['none', 'text tokens'];
  const reason = attends ? 'attends to them' : 'would ignore them';
  throw new ArgumentError(
    `${name}: expected ${expected}, as an adapter of the kind '${adapter.kind}' ${reason}; got ${got}. ` +
      `Give ${adapterTexts(adapter).join(' and ') || 'the image alone'}.`,
  );
}

/**
 * Keys and values that the UNet's cross-attentions take from image tokens. Constant over a generation, so that they run
 * once.
 *
 * @param layers of the UNet: its `crossAttentionLayers`
 * @param tokens [B, N, crossAttentionDim]
 * @returns [B, N, channels] of `dtype`, in the order of `layers`
 */
export function adapterKeyValues(
  weights: Weights,
  layers: readonly AdapterLayer[],
  tokens: Tensor,
  dtype: DType,
): KeyValue[] {
  const x = castTo(tokens, dtype);
  return layers.map(({adapterIndex, channels}) => {
    const layer = weights.at('ip_adapter', adapterIndex);
    return checkpoint(() => ({
      key: linear(layer.at('to_k_ip'), x, channels, {bias: false}),
      value: linear(layer.at('to_v_ip'), x, channels, {bias: false}),
    }));
  });
}

/** What an adapter needs to know of a cross-attention of the UNet. */
export type AdapterLayer = Pick<CrossAttentionLayer, 'adapterIndex' | 'channels'>;

/** Names and shapes of an adapter's weights, for a UNet with these cross-attentions. */
export function describeAdapterWeights(
  adapter: AdapterDescription,
  layers: readonly AdapterLayer[],
): Map<string, readonly number[]> {
  return collectWeightShapes('adapter', weights => {
    const symbol = (name: string, shape: readonly number[]) => input(name, {shape, dtype: 'float32'});
    const text = (name: AdapterText) =>
      'instruction' in adapter && adapterTexts(adapter).includes(name)
        ? symbol(name, [1, 1, adapter.instruction.textWidth])
        : undefined;
    const imageShape = adapter.kind === 'classic' ? [1, adapter.imageWidth] : [1, 1, adapter.imageWidth];
    const inputs = {
      image: symbol('image', imageShape),
      prompt: text('prompt'),
      instruction: text('instruction'),
    };
    const tokens = imageTokens(weights, adapter, inputs, 'float32');
    adapterKeyValues(weights, layers, tokens, 'float32');
  });
}
