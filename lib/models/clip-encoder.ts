/**
 * The transformer that CLIP's text and image towers share (Radford et al. 2021; transformers' `CLIPEncoder`).
 */
import {z} from 'zod';
import * as ops from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {scoped} from '../graph/trace.ts';
import {add, layerNorm, linear} from '../nn/layers.ts';
import type {Weights} from '../nn/weights.ts';

/** Settings of one tower that its transformer reads. */
export interface ClipEncoderConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  /** `gelu` is exact (by erf), `quick_gelu` is x·σ(1.702x). */
  readonly hiddenAct: 'gelu' | 'quick_gelu';
  readonly layerNormEps: number;
}

/** The settings of {@link ClipEncoderConfig} that have one default in both towers. */
export const clipEncoderFields = {
  numHiddenLayers: z.int().positive().default(12),
  hiddenAct: z.enum(['gelu', 'quick_gelu']).default('quick_gelu'),
  layerNormEps: z.number().positive().default(1e-5),
};

/** zod's check of a tower's settings: heads must divide channels. */
export function checkHeads({value, issues}: z.core.ParsePayload<ClipEncoderConfig>): void {
  const {hiddenSize, numAttentionHeads} = value;
  if (hiddenSize % numAttentionHeads === 0) return;
  const message = `expected a divisor of hidden_size ${hiddenSize}`;
  issues.push({code: 'custom', message, input: numAttentionHeads, path: ['numAttentionHeads']});
}

/**
 * Settings of one tower: the config itself, or, of a whole `CLIPModel`, its part `text_config` or `vision_config` with
 * the `projection_dim` and `architectures` that stand beside it.
 */
export function towerSettings(json: unknown, part: 'text_config' | 'vision_config'): unknown {
  if (typeof json !== 'object' || json === null) return json;
  const {[part]: tower, projection_dim, architectures} = json as Record<string, unknown>;
  if (typeof tower !== 'object' || tower === null) return json;
  return {...tower, projection_dim, architectures};
}

export interface ClipEncoderOptions {
  /** Whether a token sees only itself and those before it: the text tower. */
  readonly causal: boolean;
}

/**
 * Hidden states as transformers numbers them: x [B, N, hiddenSize] first, then what each layer gives. The final layer
 * norm is not applied to any of them.
 */
export function clipHiddenStates(
  weights: Weights,
  x: Tensor,
  config: ClipEncoderConfig,
  {causal}: ClipEncoderOptions,
): readonly [Tensor, ...Tensor[]] {
  const states: [Tensor, ...Tensor[]] = [x];
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    states.push(encoderLayer(weights.at('layers', layer), states.at(-1)!, config, causal));
  }
  return states;
}

function encoderLayer(weights: Weights, x: Tensor, config: ClipEncoderConfig, causal: boolean): Tensor {
  return scoped(weights.path, () => {
    const normed = layerNorm(weights.at('layer_norm1'), x, config.layerNormEps);
    const attended = add(x, selfAttention(weights.at('self_attn'), normed, config.numAttentionHeads, causal));
    const normedAttended = layerNorm(weights.at('layer_norm2'), attended, config.layerNormEps);
    return add(attended, feedForward(weights.at('mlp'), normedAttended, config));
  });
}

function selfAttention(weights: Weights, x: Tensor, heads: number, causal: boolean): Tensor {
  return scoped(weights.path, () => {
    const channels = x.dim(-1);
    const q = linear(weights.at('q_proj'), x, channels);
    const k = linear(weights.at('k_proj'), x, channels);
    const v = linear(weights.at('v_proj'), x, channels);
    const attended = ops.attention({q, k, v}, {heads, scale: (channels / heads) ** -0.5, causal});
    return linear(weights.at('out_proj'), attended, channels);
  });
}

function feedForward(weights: Weights, x: Tensor, config: ClipEncoderConfig): Tensor {
  const hidden = linear(weights.at('fc1'), x, config.intermediateSize);
  return linear(weights.at('fc2'), ops.unary({x: hidden}, {kind: config.hiddenAct}), config.hiddenSize);
}
