/**
 * The adapter's weight in each cross-attention and row of the batch.
 */
import {ArgumentError, invalidArgument} from '../errors.ts';
import type {CrossAttentionLayer} from '../models/unet.ts';
import type {AdapterScale} from './generate-options.ts';
import {checkFinite} from './generate-options.ts';

type ScalesByBlock = Exclude<AdapterScale, number | readonly number[]>;

/**
 * One weight per layer. A number goes for all, a list has them all; of a record, diffusers' rules hold: what is not named is
 * 0, a list has an entry for each of the block's transformers.
 *
 * @throws ArgumentError for blocks that the UNet lacks, lists of another length, and what is none of these
 */
export function scalesPerLayer(scale: AdapterScale, layers: readonly CrossAttentionLayer[]): number[] {
  if (typeof scale === 'number') return layers.map(() => checkFinite('ipAdapterScale', scale));
  if (isList(scale)) return checkList(scale, layers);
  if (scale === null || typeof scale !== 'object') {
    const forms = 'a number, numbers by block, or one for each layer, as blockPreset gives them,';
    throw invalidArgument('ipAdapterScale', forms, scale);
  }
  checkBlocks(scale, layers);
  return layers.map(({block, attentionIndex}) => {
    const [part, name] = block.split('.') as ['down' | 'mid' | 'up', string | undefined];
    const named = part === 'mid' ? scale.mid : scale[part]?.[name!];
    const value = (typeof named === 'object' ? named[attentionIndex] : named) ?? 0;
    return checkFinite(`ipAdapterScale.${block}`, value);
  });
}

function isList(scale: AdapterScale): scale is readonly number[] {
  return Array.isArray(scale);
}

function checkList(scale: readonly number[], layers: readonly CrossAttentionLayer[]): number[] {
  if (scale.length !== layers.length) {
    throw new ArgumentError(
      `ipAdapterScale: expected ${layers.length} numbers, one for each cross-attention of this UNet, but received ` +
        `${scale.length}. ComfyUI's presets have Stable Diffusion 1.5's 16; name blocks for other models.`,
    );
  }
  return scale.map((value, index) => checkFinite(`ipAdapterScale[${index}]`, value));
}

function checkBlocks(scale: ScalesByBlock, layers: readonly CrossAttentionLayer[]): void {
  for (const part of ['down', 'up'] as const) {
    for (const [name, value] of Object.entries(scale[part] ?? {})) {
      const block = `${part}.${name}`;
      const inBlock = layers.filter(layer => layer.block === block);
      const transformers = new Set(inBlock.map(layer => layer.attentionIndex)).size;
      if (transformers === 0) {
        const known = [...new Set(layers.map(layer => layer.block))].join(', ');
        throw new ArgumentError(`ipAdapterScale: expected blocks with attention (${known}), got ${block}.`);
      }
      if (typeof value === 'object' && value.length !== transformers) {
        throw new ArgumentError(
          `ipAdapterScale.${block}: expected a number or ${transformers} numbers, got ${value.length}.`,
        );
      }
    }
  }
}
