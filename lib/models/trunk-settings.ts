/**
 * The settings that UNet2DConditionModel and ControlNetModel share, under equal keys: those of the trunk.
 */
import {z} from 'zod';
import {ArgumentError} from '../errors.ts';
import {only} from './parse-model-config.ts';
import type {TrunkConfig} from './unet-blocks/trunk-config.ts';

export const count = z.int().positive();
export const countPerBlock = z.union([count, z.array(count)]);
export const kernelSize = count.refine(size => size % 2 === 1, 'expected an odd kernel size').default(3);

/** A feature of other model families, which is off where the key is absent. */
export const off = z.undefined({error: 'Invalid input: expected null'}).optional();

/** With diffusers' defaults. */
export const trunkFields = {
  inChannels: count.default(4),
  blockOutChannels: z.array(count).min(1).default([320, 640, 1280, 1280]),
  downBlockTypes: z
    .array(z.enum(['CrossAttnDownBlock2D', 'DownBlock2D']))
    .default(['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D']),
  midBlockType: only('UNetMidBlock2DCrossAttn'),
  layersPerBlock: countPerBlock.default(2),
  transformerLayersPerBlock: countPerBlock.default(1),
  attentionHeadDim: countPerBlock.default(8),
  crossAttentionDim: count.default(1280),
  downsamplePadding: z.union([z.literal(0), z.literal(1)]).default(1),
  normNumGroups: count.default(32),
  normEps: z.number().positive().default(1e-5),
  useLinearProjection: z.boolean().default(false),
  flipSinToCos: z.boolean().default(true),
  freqShift: z.number().default(0),
  actFn: only('silu'),
  midBlockScaleFactor: only(1),
  onlyCrossAttention: only(false),
  resnetTimeScaleShift: only('default'),
  encoderHidDim: off,
  encoderHidDimType: off,
  classEmbedType: off,
  numClassEmbeds: off,
  additionEmbedType: off,
};

const trunkSchema = z.object(trunkFields);

/** What the two models read differently. */
export interface TrunkSpecifics {
  readonly midBlockType: TrunkConfig['midBlockType'];
  readonly convInKernel: number;
  readonly numAttentionHeads: number | readonly number[];
  readonly timeEmbeddingDim?: number | undefined;
}

/**
 * Gives each list one entry a block.
 *
 * @param model stands for the config in messages
 * @throws ArgumentError where a list has not one entry a block, or heads do not divide the channels they attend over
 */
export function toTrunkConfig(
  model: string,
  fields: z.output<typeof trunkSchema>,
  {midBlockType, convInKernel, numAttentionHeads, timeEmbeddingDim}: TrunkSpecifics,
): TrunkConfig {
  const {blockOutChannels, inChannels, crossAttentionDim, downsamplePadding} = fields;
  const {normNumGroups, normEps, useLinearProjection, flipSinToCos, freqShift} = fields;
  const ofBlocks = <Value extends number | string>(key: string, value: Value | readonly Value[]) =>
    perBlock(model, key, value, blockOutChannels.length);
  const config: TrunkConfig = {
    inChannels,
    convInKernel,
    blockOutChannels,
    downBlockTypes: ofBlocks('down_block_types', fields.downBlockTypes),
    midBlockType,
    layersPerBlock: ofBlocks('layers_per_block', fields.layersPerBlock),
    transformerLayersPerBlock: ofBlocks('transformer_layers_per_block', fields.transformerLayersPerBlock),
    numAttentionHeads: ofBlocks('attention_head_dim', numAttentionHeads),
    crossAttentionDim,
    downsamplePadding,
    normNumGroups,
    normEps,
    useLinearProjection,
    flipSinToCos,
    freqShift,
    timeEmbeddingDim: timeEmbeddingDim ?? 4 * blockOutChannels[0]!,
  };
  expectDivisible(model, config);
  return config;
}

/** The list, or the one value for each block. */
export function perBlock<Value extends number | string>(
  model: string,
  key: string,
  value: Value | readonly Value[],
  blocks: number,
): readonly Value[] {
  if (typeof value !== 'object') return Array<Value>(blocks).fill(value);
  if (value.length === blocks) return value;
  throw new ArgumentError(
    `${model} config: ${key}: expected ${blocks} entries, as many as block_out_channels; got ${value.length}. ` +
      'Check that the config.json is complete.',
  );
}

function expectDivisible(model: string, config: TrunkConfig): void {
  const {blockOutChannels, numAttentionHeads, normNumGroups} = config;
  for (const [index, channels] of blockOutChannels.entries()) {
    for (const [key, divisor] of [
      ['attention_head_dim (the number of heads)', numAttentionHeads[index]!],
      ['norm_num_groups', normNumGroups],
    ] as const) {
      if (channels % divisor === 0) continue;
      throw new ArgumentError(
        `${model} config: ${key}: expected a divisor of block_out_channels[${index}] = ${channels}; got ${divisor}. ` +
          'Check that the config.json belongs to this model.',
      );
    }
  }
}
