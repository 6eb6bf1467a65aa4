import {z} from 'zod';
import {only, parseModelConfig} from './parse-model-config.ts';
import {count, countPerBlock, toTrunkConfig, trunkFields} from './trunk-settings.ts';
import type {TrunkConfig} from './unet-blocks/trunk-config.ts';

/** Settings of a ControlNetModel, as read by {@link parseControlNetConfig}. */
export interface ControlNetConfig extends TrunkConfig {
  /** Widths of the conditioning embedding; each step after the first halves the picture. */
  readonly conditioningEmbeddingOutChannels: readonly number[];
  readonly controlnetConditioningChannelOrder: 'rgb' | 'bgr';
}

const schema = z.object({
  ...trunkFields,
  numAttentionHeads: countPerBlock.optional(),
  conditioningChannels: only(3),
  conditioningEmbeddingOutChannels: z.array(count).min(1).default([16, 32, 96, 256]),
  controlnetConditioningChannelOrder: z.enum(['rgb', 'bgr']).default('rgb'),
  globalPoolConditions: only(false),
});

/**
 * Reads a ControlNet's `config.json`, with diffusers' defaults for keys left out.
 *
 * @throws ArgumentError that names the keys whose values are wrong or not supported
 */
export function parseControlNetConfig(json: unknown): ControlNetConfig {
  const fields = parseModelConfig('ControlNetModel', schema, json);
  const {conditioningEmbeddingOutChannels, controlnetConditioningChannelOrder} = fields;
  const trunk = toTrunkConfig('ControlNetModel', fields, {
    midBlockType: fields.midBlockType,
    convInKernel: 3,
    numAttentionHeads: fields.numAttentionHeads ?? fields.attentionHeadDim,
  });
  return {...trunk, conditioningEmbeddingOutChannels, controlnetConditioningChannelOrder};
}
