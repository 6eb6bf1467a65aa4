/**
 * ControlNet (Zhang et al. 2023; diffusers' `ControlNetModel`): a copy of the UNet's way down that reads a control
 * picture and gives residuals for the UNet's skips.
 */
import {ArgumentError, ShapeError} from '../errors.ts';
import {sameShape} from '../graph/ops/check.ts';
import * as ops from '../graph/ops/index.ts';
import {formatType, type Tensor} from '../graph/tensor.ts';
import {input} from '../graph/trace.ts';
import {add, castTo, conv2d} from '../nn/layers.ts';
import {collectWeightShapes, type Weights} from '../nn/weights.ts';
import type {DType} from '../runtime/dtype.ts';
import {controlNetConditioning} from './controlnet-conditioning.ts';
import type {ControlNetConfig} from './controlnet-config.ts';
import {planTrunk} from './unet-blocks/block-plan.ts';
import {downBlocks, midBlocks} from './unet-blocks/blocks.ts';
import {crossAttentionLayersOf, type KeyValue, textKeyValues} from './unet-blocks/cross-attention.ts';
import {addRows, toRows} from './unet-blocks/sample-rows.ts';
import {timeProjections} from './unet-blocks/time-projections.ts';
import {bindInputs, convIn} from './unet-blocks/trunk.ts';

/** Inputs of a step. */
export type ControlNetInputs = {
  /** The latents, as the UNet sees them: float32 [S, inChannels, h, w]. */
  readonly sample: Tensor;
  /** float32 [S or 1, total]: a row of {@link controlNetTimeProjections}. */
  readonly timeProjections: Tensor;
  readonly textKeyValues: readonly KeyValue[];
  /** The result of {@link controlNetConditioning}: [S or 1, h, w, C] of the compute dtype. */
  readonly conditioning: Tensor;
  /** Weight of the residuals: float32 [1], or [S] for one a sample. */
  readonly scale: Tensor;
};

/** Residuals of the compute dtype, channels last, by sample or by row: `unet` takes them as they are. */
export type ControlResiduals = {
  readonly downResiduals: readonly Tensor[];
  readonly midResidual: Tensor;
};

/** As `unetTimeProjections`, with the ControlNet's own weights. */
export function controlNetTimeProjections(
  weights: Weights,
  config: ControlNetConfig,
  timesteps: Tensor,
  dtype: DType,
): Tensor {
  return timeProjections(weights, config, planTrunk(config), timesteps, dtype);
}

/** As `unetTextKeyValues`, with the ControlNet's own weights and layers. */
export function controlNetTextKeyValues(
  weights: Weights,
  config: ControlNetConfig,
  encoderHiddenStates: Tensor,
  dtype: DType,
): KeyValue[] {
  return textKeyValues(weights, crossAttentionLayersOf(planTrunk(config)), encoderHiddenStates, dtype);
}

/**
 * One evaluation.
 *
 * @throws ShapeError where inputs do not fit the config or each other
 */
export function controlNet(
  weights: Weights,
  config: ControlNetConfig,
  inputs: ControlNetInputs,
  dtype: DType,
): ControlResiduals {
  const plan = planTrunk(config);
  const context = bindInputs('controlnet', weights, config, plan, inputs);
  const latents = convIn(context, inputs.sample, dtype);
  expectConditioning(inputs.conditioning, latents);
  const x = add(latents, inputs.conditioning);
  const {hidden, skips} = downBlocks(context, plan.down, x);
  const mid = midBlocks(context, plan.mid, hidden);
  const scale = ops.reshape({x: castTo(inputs.scale, dtype)}, {shape: [inputs.scale.size, 1, 1, 1]});
  const residual = (place: Weights, from: Tensor) => {
    const unscaled = conv2d(place, from, from.dim(3), {kernelSize: 1});
    const own = inputs.scale.size === 1 ? scale : toRows(scale, from.dim(0));
    return ops.binary({a: unscaled, b: own}, {kind: 'multiply'});
  };
  return {
    downResiduals: skips.map((skip, index) => residual(weights.at('controlnet_down_blocks', index), skip)),
    midResidual: residual(weights.at('controlnet_mid_block'), mid),
  };
}

function expectConditioning(conditioning: Tensor, latents: Tensor): void {
  const {shape} = latents;
  if (sameShape(conditioning.shape, shape) || sameShape(conditioning.shape, shape.with(0, 1))) return;
  throw new ShapeError(
    `controlnet: conditioning: expected [1 or ${shape.join(', ')}]; got ${formatType(conditioning)}. ` +
      'Give a control picture of the size of the result.',
  );
}

/**
 * The sum of several ControlNets' residuals for one UNet.
 *
 * @throws ArgumentError for an empty list
 */
export function sumControlResiduals(all: readonly ControlResiduals[]): ControlResiduals {
  const [first, ...others] = all;
  if (first === undefined) {
    throw new ArgumentError('sumControlResiduals: expected one set of residuals or more; got none.');
  }
  return others.reduce(
    (sum, next) => ({
      downResiduals: sum.downResiduals.map((residual, index) =>
        addRows(residual, next.downResiduals[index]!),
      ),
      midResidual: addRows(sum.midResidual, next.midResidual),
    }),
    first,
  );
}

/** Names and shapes of the weights that a config asks for: exactly those of diffusers' files. */
export function describeControlNetWeights(config: ControlNetConfig): Map<string, readonly number[]> {
  return collectWeightShapes('controlnet', weights => {
    const side = 2 ** config.blockOutChannels.length;
    const pixels = side * 2 ** (config.conditioningEmbeddingOutChannels.length - 1);
    const image = input('image', {shape: [1, 3, pixels, pixels], dtype: 'float32'});
    const timesteps = input('timesteps', {shape: [1], dtype: 'float32'});
    const text = input('encoderHiddenStates', {shape: [1, 1, config.crossAttentionDim], dtype: 'float32'});
    const inputs = {
      sample: input('sample', {shape: [1, config.inChannels, side, side], dtype: 'float32'}),
      timeProjections: controlNetTimeProjections(weights, config, timesteps, 'float32'),
      textKeyValues: controlNetTextKeyValues(weights, config, text, 'float32'),
      conditioning: controlNetConditioning(weights, config, image, 'float32'),
      scale: input('scale', {shape: [1], dtype: 'float32'}),
    };
    controlNet(weights, config, inputs, 'float32');
  });
}
