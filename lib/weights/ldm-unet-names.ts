import type {StoredTensor, TensorMap} from './stored-tensor.ts';
import {countBlocks, renameKnownTensors} from './tensor-names.ts';

const FIXED: readonly (readonly [string, string])[] = [
  ['time_embed.0.', 'time_embedding.linear_1.'],
  ['time_embed.2.', 'time_embedding.linear_2.'],
  ['input_blocks.0.0.', 'conv_in.'],
  ['out.0.', 'conv_norm_out.'],
  ['out.2.', 'conv_out.'],
];

const RESNET: Readonly<Record<string, string>> = {
  'in_layers.0': 'norm1',
  'in_layers.2': 'conv1',
  'emb_layers.1': 'time_emb_proj',
  'out_layers.0': 'norm2',
  'out_layers.3': 'conv2',
  skip_connection: 'conv_shortcut',
};

const MIDDLE = ['resnets.0', 'attentions.0', 'resnets.1'] as const;

/**
 * `input_blocks` holds conv_in, then, for each resolution but the last, the layers of a block and a
 * downsampler (`op`): the first downsampler's number tells how many layers a block has.
 */
function layersPerBlock(tensors: TensorMap): number {
  const blocks = countBlocks(tensors, /^input_blocks\.(\d{1,3})\./);
  for (let i = 1; i < blocks; i++) {
    if (tensors.has(`input_blocks.${i}.0.op.weight`)) return i - 1;
  }
  return Math.max(1, blocks - 1);
}

/**
 * Tensors of an original UNet (names without `model.diffusion_model.`) under diffusers' names.
 * @throws WeightsError that lists the names which are no part of such a UNet.
 */
export function ldmUNetToDiffusers(tensors: TensorMap): Map<string, StoredTensor> {
  const slots = layersPerBlock(tensors) + 1;
  return renameKnownTensors(tensors, name => rename(name, slots), 'a Stable Diffusion 1.5 UNet');
}

/**
 * `slots` is the length of a diffusers block in the flat lists: its layers and one sampler, or one layer more
 * on the way up.
 */
function rename(name: string, slots: number): string | undefined {
  const fixed = FIXED.find(([old]) => name.startsWith(old));
  if (fixed) return fixed[1] + name.slice(fixed[0].length);

  let match = /^middle_block\.([012])\.(.+)$/.exec(name);
  if (match) return renameLayer('mid_block', MIDDLE[Number(match[1])]!, match[2]!);

  match = /^(input|output)_blocks\.(\d{1,3})\.(\d)\.(.+)$/.exec(name);
  if (!match) return undefined;
  const [, direction, number, part, rest] = match as unknown as [string, string, string, string, string];
  const slot = direction === 'input' ? Number(number) - 1 : Number(number);
  const block = `${direction === 'input' ? 'down' : 'up'}_blocks.${Math.floor(slot / slots)}`;
  if (direction === 'input' && rest.startsWith('op.')) return `${block}.downsamplers.0.conv.${rest.slice(3)}`;
  if (direction === 'output' && rest.startsWith('conv.')) return `${block}.upsamplers.0.${rest}`;
  if (part !== '0' && part !== '1') return undefined;
  return renameLayer(block, `${part === '0' ? 'resnets' : 'attentions'}.${slot % slots}`, rest);
}

/** Within attentions the names are the same in both. */
function renameLayer(block: string, layer: string, rest: string): string | undefined {
  if (layer.startsWith('attentions')) return `${block}.${layer}.${rest}`;
  const [, module, leaf] = /^(.+)\.(weight|bias)$/.exec(rest) ?? [];
  const canonical = RESNET[module ?? ''];
  return canonical && `${block}.${layer}.${canonical}.${leaf}`;
}
