/**
 * The adapter's weight in each cross-attention and row of the batch.
 */
import {ArgumentError} from '../errors.ts';
import type {CrossAttentionLayer} from '../models/unet.ts';
import type {AdapterScale} from './generate-options.ts';
import {checkFinite} from './generate-options.ts';

/**
 * One weight per layer. A number goes for all; of a record, diffusers' rules hold: what is not named is 0, a list has
 * an entry for each of the block's transformers.
 *
 * @throws ArgumentError for blocks that the UNet lacks and lists of another length
 */
export function scalesPerLayer(scale: AdapterScale, layers: readonly CrossAttentionLayer[]): number[] {
  if (typeof scale === 'number') return layers.map(() => checkFinite('ipAdapterScale', scale));
  checkBlocks(scale, layers);
  return layers.map(({block, attentionIndex}) => {
    const [part, name] = block.split('.') as ['down' | 'mid' | 'up', string | undefined];
    const named = part === 'mid' ? scale.mid : scale[part]?.[name!];
    const value = (typeof named === 'object' ? named[attentionIndex] : named) ?? 0;
    return checkFinite(`ipAdapterScale.${block}`, value);
  });
}

function checkBlocks(scale: Exclude<AdapterScale, number>, layers: readonly CrossAttentionLayer[]): void {
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
