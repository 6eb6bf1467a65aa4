/**
 * Stable Diffusion's denoiser (Rombach et al. 2022, §3.2; diffusers' `UNet2DConditionModel`). What does not change
 * between steps has its own function: time projections run once a schedule, text keys and values once a generation.
 */
import {ShapeError} from '../errors.ts';
import type {Tensor} from '../graph/tensor.ts';
import {input} from '../graph/trace.ts';
import {conv2d, groupNorm, silu} from '../nn/layers.ts';
import {toChannelsFirst} from '../nn/picture-layout.ts';
import {collectWeightShapes, type Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import {planUNet} from './unet-blocks/block-plan.ts';
import {downBlocks, midBlocks, upBlocks} from './unet-blocks/blocks.ts';
import {
  type CrossAttentionLayer,
  type CrossAttentionObserver,
  crossAttentionLayersOf,
  type KeyValue,
  textKeyValues,
} from './unet-blocks/cross-attention.ts';
import {addRows} from './unet-blocks/sample-rows.ts';
import {timeProjections} from './unet-blocks/time-projections.ts';
import {bindInputs, convIn, type TrunkInputs} from './unet-blocks/trunk.ts';
import type {UNetConfig} from './unet-config.ts';

export type {CrossAttentionLayer, ImageTerm, KeyValue} from './unet-blocks/cross-attention.ts';

/**
 * Inputs of a step. Key-value lists and the rows of scales are in the order of {@link crossAttentionLayers}; with images
 * every cross-attention becomes a decoupled one.
 */
export type UNetInputs = TrunkInputs & {
  /** ControlNet residuals of the compute dtype [B or S, h', w', C], one for each skip; given with `midResidual`. */
  readonly downResiduals?: readonly Tensor[] | undefined;
  readonly midResidual?: Tensor | undefined;
};

/** Cross-attention layers in the order of diffusers' `attn_processors`: down, up, then mid. */
export function crossAttentionLayers(config: UNetConfig): CrossAttentionLayer[] {
  return crossAttentionLayersOf(planUNet(config));
}

/**
 * What each resnet adds at each timestep.
 *
 * @param timesteps float32 [S]
 * @returns float32 [S, total]: all resnets' channels, joined in execution order
 */
export function unetTimeProjections(
  weights: Weights,
  config: UNetConfig,
  timesteps: Tensor,
  dtype: DType,
): Tensor {
  return timeProjections(weights, config, planUNet(config), timesteps, dtype);
}

/**
 * Text keys and values of every cross-attention layer.
 *
 * @param encoderHiddenStates float32 [B, N, crossAttentionDim]
 * @returns [B, N, channels] of `dtype`, in the order of {@link crossAttentionLayers}
 */
export function unetTextKeyValues(
  weights: Weights,
  config: UNetConfig,
  encoderHiddenStates: Tensor,
  dtype: DType,
): KeyValue[] {
  return textKeyValues(weights, crossAttentionLayers(config), encoderHiddenStates, dtype);
}

/**
 * One evaluation: the model's prediction (noise or v, as it was trained) for a noisy sample. Any height and width:
 * where halving rounds, the way up grows back to the sizes of the way down.
 *
 * @param inputs sample float32 [S, inChannels, h, w]: for inpainting checkpoints latents, mask and masked latents. With
 *   text of B = S·R rows each sample stands for R rows, and what these have in common is computed once
 * @param dtype of activations
 * @param observe told of each cross-attention, in the order in which they run
 * @returns float32 [B, outChannels, h, w]; [S, …] of a model without cross-attention
 * @throws ShapeError where inputs do not fit the config or each other
 */
export function unet(
  weights: Weights,
  config: UNetConfig,
  inputs: UNetInputs,
  dtype: DType,
  observe?: CrossAttentionObserver,
): Tensor {
  const plan = planUNet(config);
  const context = {...bindInputs('unet', weights, config, plan, inputs), observe};
  const {hidden, skips} = downBlocks(context, plan.down, convIn(context, inputs.sample, dtype));
  const mid = midBlocks(context, plan.mid, hidden);
  const controlled = withResiduals({hidden: mid, skips}, inputs);
  const x = upBlocks(context, plan.up, controlled.hidden, controlled.skips);
  const normed = groupNorm(weights.at('conv_norm_out'), x, {
    groups: config.normNumGroups,
    epsilon: config.normEps,
  });
  const kernelSize = config.convOutKernel;
  return toChannelsFirst(conv2d(weights.at('conv_out'), silu(normed), config.outChannels, {kernelSize}));
}

interface BeforeUp {
  readonly hidden: Tensor;
  readonly skips: readonly Tensor[];
}

/** Adds a ControlNet's residuals to the skips and to the mid block's result (Zhang et al. 2023, §3.2). */
function withResiduals({hidden, skips}: BeforeUp, {downResiduals, midResidual}: UNetInputs): BeforeUp {
  if (downResiduals === undefined && midResidual === undefined) return {hidden, skips};
  if (downResiduals?.length !== skips.length || midResidual === undefined) {
    throw new ShapeError(
      `unet: downResiduals and midResidual: expected ${skips.length} and one; ` +
        `got ${downResiduals?.length ?? 'none'} and ${midResidual === undefined ? 'none' : 'one'}. ` +
        'Give both, from a ControlNet of the same block layout.',
    );
  }
  return {
    hidden: addRows(hidden, midResidual),
    skips: skips.map((skip, index) => addRows(skip, downResiduals[index]!)),
  };
}

/** Names and shapes of the weights that a config asks for: exactly those of diffusers' files. */
export function describeUNetWeights(config: UNetConfig): Map<string, readonly number[]> {
  return collectWeightShapes('unet', weights => {
    const side = 2 ** config.blockOutChannels.length;
    const timesteps = input('timesteps', {shape: [1], dtype: 'float32'});
    const text = input('encoderHiddenStates', {shape: [1, 1, config.crossAttentionDim], dtype: 'float32'});
    const inputs = {
      sample: input('sample', {shape: [1, config.inChannels, side, side], dtype: 'float32'}),
      timeProjections: unetTimeProjections(weights, config, timesteps, 'float32'),
      textKeyValues: unetTextKeyValues(weights, config, text, 'float32'),
    };
    unet(weights, config, inputs, 'float32');
  });
}
