import {WeightsError} from '../errors.ts';
import type {TensorMap} from './stored-tensor.ts';
import {countBlocks} from './tensor-names.ts';

/** A configuration as `config.json` of a diffusers or transformers component holds it. */
export type ComponentConfig = Readonly<Record<string, unknown>>;

/**
 * The configuration of a UNet whose tensors have diffusers' names. What shapes do not tell is Stable
 * Diffusion 1.5's: 8 attention heads in every block (diffusers calls the number `attention_head_dim`), 32
 * groups.
 */
export function inferUNetConfig(tensors: TensorMap): ComponentConfig {
  const blocks = countBlocks(tensors, /^down_blocks\.(\d{1,3})\./);
  const range = Array.from({length: blocks}, (_, i) => i);
  const hasAttention = (block: string): boolean => tensors.has(`${block}.attentions.0.norm.weight`);
  const attention =
    [...tensors.keys()].find(name => name.endsWith('.attn2.to_k.weight')) ?? 'attn2.to_k.weight';
  return {
    _class_name: 'UNet2DConditionModel',
    in_channels: dimension(tensors, 'conv_in.weight', 1),
    out_channels: dimension(tensors, 'conv_out.weight', 0),
    block_out_channels: range.map(i => dimension(tensors, `down_blocks.${i}.resnets.0.conv1.weight`, 0)),
    layers_per_block: countBlocks(tensors, /^down_blocks\.0\.resnets\.(\d{1,3})\./),
    cross_attention_dim: dimension(tensors, attention, 1),
    down_block_types: range.map(i =>
      hasAttention(`down_blocks.${i}`) ? 'CrossAttnDownBlock2D' : 'DownBlock2D',
    ),
    up_block_types: range.map(i => (hasAttention(`up_blocks.${i}`) ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    attention_head_dim: 8,
    norm_num_groups: 32,
    act_fn: 'silu',
  };
}

/**
 * The configuration of a VAE whose tensors have diffusers' names, with Stable Diffusion 1.5's latent scale.
 */
export function inferVaeConfig(tensors: TensorMap): ComponentConfig {
  const blocks = countBlocks(tensors, /^encoder\.down_blocks\.(\d{1,3})\./);
  const range = Array.from({length: blocks}, (_, i) => i);
  return {
    _class_name: 'AutoencoderKL',
    in_channels: dimension(tensors, 'encoder.conv_in.weight', 1),
    out_channels: dimension(tensors, 'decoder.conv_out.weight', 0),
    latent_channels: dimension(tensors, 'decoder.conv_in.weight', 1),
    block_out_channels: range.map(i =>
      dimension(tensors, `encoder.down_blocks.${i}.resnets.0.conv1.weight`, 0),
    ),
    layers_per_block: countBlocks(tensors, /^encoder\.down_blocks\.0\.resnets\.(\d{1,3})\./),
    down_block_types: range.map(() => 'DownEncoderBlock2D'),
    up_block_types: range.map(() => 'UpDecoderBlock2D'),
    norm_num_groups: 32,
    act_fn: 'silu',
    scaling_factor: 0.18215,
  };
}

/**
 * The configuration of a CLIP text encoder with the `text_model.` prefix; OpenAI's CLIP has heads of 64
 * channels.
 */
export function inferTextEncoderConfig(tensors: TensorMap): ComponentConfig {
  const hiddenSize = dimension(tensors, 'text_model.embeddings.token_embedding.weight', 1);
  return {
    model_type: 'clip_text_model',
    vocab_size: dimension(tensors, 'text_model.embeddings.token_embedding.weight', 0),
    max_position_embeddings: dimension(tensors, 'text_model.embeddings.position_embedding.weight', 0),
    hidden_size: hiddenSize,
    intermediate_size: dimension(tensors, 'text_model.encoder.layers.0.mlp.fc1.weight', 0),
    num_hidden_layers: countBlocks(tensors, /^text_model\.encoder\.layers\.(\d{1,3})\./),
    num_attention_heads: Math.max(1, Math.floor(hiddenSize / 64)),
    hidden_act: 'quick_gelu',
    layer_norm_eps: 1e-5,
  };
}

function dimension(tensors: TensorMap, name: string, axis: number): number {
  const size = tensors.get(name)?.shape[axis];
  if (size !== undefined) return size;
  const got = tensors.has(name) ? 'one with too few axes' : 'none';
  throw new WeightsError(
    `checkpoint: expected a tensor '${name}'; got ${got}. The checkpoint is incomplete.`,
  );
}
