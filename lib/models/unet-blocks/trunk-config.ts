/**
 * What the blocks read of a config. All of the model that comes before the up blocks (the trunk) is the same in
 * UNet2DConditionModel and ControlNetModel.
 */

/** Lists have one entry a down block, the one at full size first. */
export interface TrunkConfig {
  readonly inChannels: number;
  readonly convInKernel: number;
  readonly blockOutChannels: readonly number[];
  readonly downBlockTypes: readonly ('CrossAttnDownBlock2D' | 'DownBlock2D')[];
  readonly midBlockType: 'UNetMidBlock2DCrossAttn' | null;
  readonly layersPerBlock: readonly number[];
  readonly transformerLayersPerBlock: readonly number[];
  /** The file's `attention_head_dim`, which diffusers reads as the number of heads. */
  readonly numAttentionHeads: readonly number[];
  readonly crossAttentionDim: number;
  /** 0 pads a row and a column at the end only. */
  readonly downsamplePadding: 0 | 1;
  readonly normNumGroups: number;
  readonly normEps: number;
  readonly useLinearProjection: boolean;
  readonly flipSinToCos: boolean;
  readonly freqShift: number;
  readonly timeEmbeddingDim: number;
}

/** The trunk and what grows from it. */
export interface UpwardConfig extends TrunkConfig {
  /** One entry a block, the one at the smallest size first. */
  readonly upBlockTypes: readonly ('CrossAttnUpBlock2D' | 'UpBlock2D')[];
}
