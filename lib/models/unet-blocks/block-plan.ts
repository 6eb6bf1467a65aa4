/**
 * What a config means, block by block: the paths of all resnets and transformers with their channels. Everything that
 * walks the model (its computation, its time projections, its cross-attention layers) walks this plan.
 */
import type {TrunkConfig, UpwardConfig} from './trunk-config.ts';

export interface ResnetPlan {
  /** Path of its weights in the model, e.g. `down_blocks.0.resnets.1`. */
  readonly path: string;
  readonly inChannels: number;
  readonly outChannels: number;
}

export interface TransformerPlan {
  readonly path: string;
  readonly channels: number;
  readonly heads: number;
  /** Paths of its blocks, e.g. `down_blocks.0.attentions.1.transformer_blocks.0`. */
  readonly blocks: readonly string[];
}

/** A resnet and the transformer that follows it, if one does. */
export interface LayerPlan {
  readonly resnet: ResnetPlan;
  readonly transformer: TransformerPlan | undefined;
}

export interface BlockPlan {
  readonly path: string;
  /** As diffusers names blocks in adapter scales: `down.block_0`, `mid`, `up.block_0`. */
  readonly name: string;
  readonly layers: readonly LayerPlan[];
  /** Whether a down- or upsampler follows the layers: all blocks but the last of each way. */
  readonly resamples: boolean;
}

export interface ModelPlan {
  readonly down: readonly BlockPlan[];
  /** None or one. */
  readonly mid: readonly BlockPlan[];
  /** None in a ControlNet. */
  readonly up: readonly BlockPlan[];
}

export function planUNet(config: UpwardConfig): ModelPlan {
  return {...planTrunk(config), up: planUpBlocks(config)};
}

/** The plan without up blocks: a ControlNet's. */
export function planTrunk(config: TrunkConfig): ModelPlan {
  return {down: planDownBlocks(config), mid: planMidBlock(config), up: []};
}

/** Layers in the order in which they run. */
export function layersOf({down, mid, up}: ModelPlan): LayerPlan[] {
  return [...down, ...mid, ...up].flatMap(block => block.layers);
}

function planDownBlocks(config: TrunkConfig): BlockPlan[] {
  const {blockOutChannels, layersPerBlock} = config;
  return blockOutChannels.map((channels, index) => {
    const path = `down_blocks.${index}`;
    const crossAttention = config.downBlockTypes[index] === 'CrossAttnDownBlock2D';
    const layers = Array.from({length: layersPerBlock[index]!}, (_, layer) => ({
      resnet: {
        path: `${path}.resnets.${layer}`,
        inChannels: layer === 0 ? blockOutChannels[Math.max(index - 1, 0)]! : channels,
        outChannels: channels,
      },
      transformer: crossAttention ? planTransformer(config, `${path}.attentions.${layer}`, index) : undefined,
    }));
    return {path, name: `down.block_${index}`, layers, resamples: index < blockOutChannels.length - 1};
  });
}

/** A resnet, a transformer and another resnet. */
function planMidBlock(config: TrunkConfig): BlockPlan[] {
  if (config.midBlockType === null) return [];
  const last = config.blockOutChannels.length - 1;
  const channels = config.blockOutChannels[last]!;
  const resnet = (index: number) => ({
    path: `mid_block.resnets.${index}`,
    inChannels: channels,
    outChannels: channels,
  });
  const transformer = planTransformer(config, 'mid_block.attentions.0', last);
  const layers = [
    {resnet: resnet(0), transformer},
    {resnet: resnet(1), transformer: undefined},
  ];
  return [{path: 'mid_block', name: 'mid', layers, resamples: false}];
}

/**
 * Up block i mirrors down block n-1-i and has one layer more: each layer takes one of the skips that the way down left
 * behind, namely conv_in's, one a layer, and one a downsampler.
 */
function planUpBlocks(config: UpwardConfig): BlockPlan[] {
  const {blockOutChannels} = config;
  const blocks = blockOutChannels.length;
  return blockOutChannels.map((_, index) => {
    const mirrored = blocks - 1 - index;
    const path = `up_blocks.${index}`;
    const channels = blockOutChannels[mirrored]!;
    const before = blockOutChannels[Math.min(mirrored + 1, blocks - 1)]!;
    const skipOfSampler = blockOutChannels[Math.max(mirrored - 1, 0)]!;
    const crossAttention = config.upBlockTypes[index] === 'CrossAttnUpBlock2D';
    const length = config.layersPerBlock[mirrored]! + 1;
    const layers = Array.from({length}, (_, layer) => ({
      resnet: {
        path: `${path}.resnets.${layer}`,
        inChannels: (layer === 0 ? before : channels) + (layer === length - 1 ? skipOfSampler : channels),
        outChannels: channels,
      },
      transformer: crossAttention
        ? planTransformer(config, `${path}.attentions.${layer}`, mirrored)
        : undefined,
    }));
    return {path, name: `up.block_${index}`, layers, resamples: index < blocks - 1};
  });
}

/** @param level index into the config's lists */
function planTransformer(config: TrunkConfig, path: string, level: number): TransformerPlan {
  return {
    path,
    channels: config.blockOutChannels[level]!,
    heads: config.numAttentionHeads[level]!,
    blocks: Array.from(
      {length: config.transformerLayersPerBlock[level]!},
      (_, index) => `${path}.transformer_blocks.${index}`,
    ),
  };
}
