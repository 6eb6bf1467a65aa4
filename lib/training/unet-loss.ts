/**
 * The loss of a UNet's prediction, with the conditions of a batch.
 */
import type {Tensor} from '../graph/tensor.ts';
import {type ImageTerm, unet, unetTextKeyValues, unetTimeProjections} from '../models/unet.ts';
import type {UNetConfig} from '../models/unet-config.ts';
import type {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import {type DiffusionLoss, diffusionLoss} from './diffusion-loss.ts';

/** What a UNet predicts from: all float32, of one batch size B. */
export type UNetConditions = {
  /** [B, inChannels, h, w]: noisy latents. */
  readonly noisy: Tensor;
  /** [B] */
  readonly timesteps: Tensor;
  /** [B, M, crossAttentionDim]: hidden states of the prompts. */
  readonly encoderHiddenStates: Tensor;
};

/** All float32, of one batch size B. */
export type UNetBatch = UNetConditions & {
  /** [B, outChannels, h, w]: what is to be predicted of the noisy latents. */
  readonly target: Tensor;
  /** [B, 1, 1, 1]: weight of each sample's error. */
  readonly weights: Tensor;
};

/** To be called while tracing: float32 [B, outChannels, h, w]. */
export function unetPrediction(
  weights: Weights,
  config: UNetConfig,
  {noisy, timesteps, encoderHiddenStates}: UNetConditions,
  dtype: ComputeDType,
  images?: readonly ImageTerm[],
): Tensor {
  const timeProjections = unetTimeProjections(weights, config, timesteps, dtype);
  const textKeyValues = unetTextKeyValues(weights, config, encoderHiddenStates, dtype);
  return unet(weights, config, {sample: noisy, timeProjections, textKeyValues, images}, dtype);
}

/** To be called while tracing. */
export function unetLoss(
  weights: Weights,
  config: UNetConfig,
  batch: UNetBatch,
  dtype: ComputeDType,
  images?: readonly ImageTerm[],
): DiffusionLoss {
  const prediction = unetPrediction(weights, config, batch, dtype, images);
  return diffusionLoss(prediction, batch.target, batch.weights);
}
