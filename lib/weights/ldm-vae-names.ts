import type {StoredTensor, TensorMap} from './stored-tensor.ts';
import {countBlocks, renameKnownTensors, renameTensors} from './tensor-names.ts';

const ATTENTION: Readonly<Record<string, string>> = {
  norm: 'group_norm',
  q: 'to_q',
  k: 'to_k',
  v: 'to_v',
  proj_out: 'to_out.0',
};

/** True for names of the original latent-diffusion code (Rombach et al., 2022), without a prefix. */
export function isLdmVae(tensors: TensorMap): boolean {
  return (
    tensors.has('encoder.down.0.block.0.conv1.weight') || tensors.has('decoder.up.0.block.0.conv1.weight')
  );
}

/**
 * Tensors of an original VAE under diffusers' names. The original counts the decoder's blocks from the
 * picture inwards, diffusers in running order. The discriminator (`loss.`) of training files is left out.
 * @throws WeightsError that lists the names which are no part of such a VAE.
 */
export function ldmVaeToDiffusers(tensors: TensorMap): Map<string, StoredTensor> {
  const upBlocks = countBlocks(tensors, /^decoder\.up\.(\d{1,3})\./);
  const vae = renameTensors(tensors, name => (/^(loss|model_ema)\./.test(name) ? undefined : name));
  return renameKnownTensors(vae, name => rename(name, upBlocks), 'a Stable Diffusion 1.5 VAE');
}

function rename(name: string, upBlocks: number): string | undefined {
  if (/^(quant_conv|post_quant_conv|(en|de)coder\.conv_(in|out))\.(weight|bias)$/.test(name)) return name;
  const [, half, rest] = /^(encoder|decoder)\.(.+)$/.exec(name) ?? [];
  if (half === undefined || rest === undefined) return undefined;
  const part = renamePart(rest, upBlocks);
  return part && `${half}.${part}`;
}

function renamePart(rest: string, upBlocks: number): string | undefined {
  let match = /^norm_out\.(.+)$/.exec(rest);
  if (match) return `conv_norm_out.${match[1]}`;
  match = /^mid\.block_([12])\.(.+)$/.exec(rest);
  if (match) return `mid_block.resnets.${Number(match[1]) - 1}.${renameResnet(match[2]!)}`;
  match = /^mid\.attn_1\.(norm|q|k|v|proj_out)\.(.+)$/.exec(rest);
  if (match) return `mid_block.attentions.0.${ATTENTION[match[1]!]}.${match[2]}`;
  match = /^(down|up)\.(\d{1,3})\.(?:block\.(\d{1,3})|(?:down|up)sample)\.(.+)$/.exec(rest);
  if (!match) return undefined;
  const [, direction, block, layer, tail] = match;
  const number = direction === 'up' ? upBlocks - 1 - Number(block) : Number(block);
  const path = `${direction}_blocks.${number}`;
  return layer === undefined
    ? `${path}.${direction}samplers.0.${tail}`
    : `${path}.resnets.${layer}.${renameResnet(tail!)}`;
}

function renameResnet(tail: string): string {
  return tail.replace(/^nin_shortcut\./, 'conv_shortcut.');
}
