import {z} from 'zod';
import {only, parseModelConfig} from './parse-model-config.ts';
import {count, kernelSize, off, perBlock, toTrunkConfig, trunkFields} from './trunk-settings.ts';
import type {UpwardConfig} from './unet-blocks/trunk-config.ts';

/** Settings of a UNet2DConditionModel, as read by {@link parseUNetConfig}. */
export interface UNetConfig extends UpwardConfig {
  readonly outChannels: number;
  readonly convOutKernel: number;
  /** Height and width of the latents that the model was trained on, where the file says so. */
  readonly sampleSize: readonly [number, number] | undefined;
}

const schema = z.object({
  ...trunkFields,
  outChannels: count.default(4),
  upBlockTypes: z
    .array(z.enum(['CrossAttnUpBlock2D', 'UpBlock2D']))
    .default(['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D']),
  convInKernel: kernelSize,
  convOutKernel: kernelSize,
  timeEmbeddingDim: count.optional(),
  sampleSize: z.union([count, z.tuple([count, count])]).optional(),
  numAttentionHeads: off,
  reverseTransformerLayersPerBlock: off,
  midBlockOnlyCrossAttention: only(false),
  centerInputSample: only(false),
  dualCrossAttention: only(false),
  resnetSkipTimeAct: only(false),
  resnetOutScaleFactor: only(1),
  timeEmbeddingType: only('positional'),
  timeEmbeddingActFn: off,
  timestepPostAct: off,
  timeCondProjDim: off,
  attentionType: only('default'),
  classEmbeddingsConcat: only(false),
  crossAttentionNorm: off,
});

/**
 * Reads a UNet's `config.json`, with diffusers' defaults for keys left out.
 *
 * @throws ArgumentError that names the keys whose values are wrong or not supported
 */
export function parseUNetConfig(json: unknown): UNetConfig {
  const fields = parseModelConfig('UNet2DConditionModel', schema, json);
  const {outChannels, convInKernel, convOutKernel, timeEmbeddingDim, sampleSize} = fields;
  // Here null is a choice, not an absence: a UNet without a mid block.
  const midBlockType =
    (json as {mid_block_type?: unknown}).mid_block_type === null ? null : fields.midBlockType;
  const trunk = toTrunkConfig('UNet2DConditionModel', fields, {
    midBlockType,
    convInKernel,
    numAttentionHeads: fields.attentionHeadDim,
    timeEmbeddingDim,
  });
  const blocks = trunk.blockOutChannels.length;
  return {
    ...trunk,
    outChannels,
    upBlockTypes: perBlock('UNet2DConditionModel', 'up_block_types', fields.upBlockTypes, blocks),
    convOutKernel,
    sampleSize: typeof sampleSize === 'number' ? [sampleSize, sampleSize] : sampleSize,
  };
}
