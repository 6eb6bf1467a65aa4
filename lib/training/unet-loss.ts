/**
 * The loss of a UNet's prediction, with the conditions of a batch.
 */
import type {Tensor} from '../graph/tensor.ts';
import {type ImageTerm, unet, unetTextKeyValues, unetTimeProjections} from '../models/unet.ts';
import type {UNetConfig} from '../models/unet-config.ts';
import type {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import {type DiffusionLoss, diffusionLoss} from './diffusion-loss.ts';

/** All float32, of one batch size B. */
export type UNetBatch = {
  /** [B, inChannels, h, w]: noisy latents. */
  readonly noisy: Tensor;
  /** [B, outChannels, h, w]: what is to be predicted of them. */
  readonly target: Tensor;
  /** [B] */
  readonly timesteps: Tensor;
  /** [B, 1, 1, 1]: weight of each sample's error. */
  readonly weights: Tensor;
  /** [B, M, crossAttentionDim]: hidden states of the prompts. */
  readonly encoderHiddenStates: Tensor;
};

/** To be called while tracing. */
export function unetLoss(
  weights: Weights,
  config: UNetConfig,
  batch: UNetBatch,
  dtype: ComputeDType,
  images?: readonly ImageTerm[],
): DiffusionLoss {
  const prediction = unet(
    weights,
    config,
    {
      sample: batch.noisy,
      timeProjections: unetTimeProjections(weights, config, batch.timesteps, dtype),
      textKeyValues: unetTextKeyValues(weights, config, batch.encoderHiddenStates, dtype),
      images,
    },
    dtype,
  );
  return diffusionLoss(prediction, batch.target, batch.weights);
}
