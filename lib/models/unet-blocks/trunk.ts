/**
 * What UNet and ControlNet check and bind before their blocks run.
 */
import {ShapeError} from '../../errors.ts';
import {formatType, type Tensor} from '../../graph/tensor.ts';
import {conv2d} from '../../nn/layers.ts';
import {fromChannelsFirst} from '../../nn/picture-layout.ts';
import type {Weights} from '../../nn/weights.ts';
import type {DType} from '../../runtime/dtype.ts';
import type {ModelPlan} from './block-plan.ts';
import type {BlockContext} from './blocks.ts';
import {type CrossAttentionInputs, crossAttentionLayersOf, layerContexts} from './cross-attention.ts';
import {sliceTimeProjections, timeProjectionChannels} from './time-projections.ts';
import type {TrunkConfig} from './trunk-config.ts';

export type TrunkInputs = CrossAttentionInputs & {
  /** float32 [S, inChannels, h, w]: one for each row of the text, or one for several rows next to each other. */
  readonly sample: Tensor;
  /** float32 [S or 1, total]: a row of the model's time projections. */
  readonly timeProjections: Tensor;
};

/**
 * Checks what no op would name as well, and deals the inputs out to the blocks.
 *
 * @param model stands for the model in messages
 * @throws ShapeError
 */
export function bindInputs(
  model: string,
  weights: Weights,
  config: TrunkConfig,
  plan: ModelPlan,
  inputs: TrunkInputs,
): BlockContext {
  const {sample, timeProjections} = inputs;
  if (sample.rank !== 4 || sample.dim(1) !== config.inChannels) {
    throw new ShapeError(
      `${model}: sample: expected f32[batch, ${config.inChannels}, height, width]; got ${formatType(sample)}. ` +
        'in_channels of the config says how many channels the model takes.',
    );
  }
  const channels = timeProjectionChannels(plan);
  if (timeProjections.rank !== 2 || timeProjections.dim(1) !== channels) {
    throw new ShapeError(
      `${model}: timeProjections: expected f32[1 or batch, ${channels}]; got ${formatType(timeProjections)}. ` +
        'Make them with the time projections of the same model.',
    );
  }
  return {
    weights,
    config,
    timeBiases: sliceTimeProjections(plan, timeProjections),
    crossAttention: layerContexts(model, crossAttentionLayersOf(plan), inputs),
  };
}

/** float32 [S, C, h, w] → [S, h, w, blockOutChannels[0]] of `dtype`. */
export function convIn({weights, config}: BlockContext, sample: Tensor, dtype: DType): Tensor {
  const x = fromChannelsFirst(sample, dtype);
  return conv2d(weights.at('conv_in'), x, config.blockOutChannels[0]!, {kernelSize: config.convInKernel});
}
