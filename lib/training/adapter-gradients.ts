/**
 * A traced training step of an adapter on a frozen UNet: from a batch to its loss and the gradients of the adapter's
 * weights.
 */
import type {Tensor} from '../graph/tensor.ts';
import {adapterKeyValues, type ImageTokensInputs, imageTokens} from '../models/ip-adapter.ts';
import {crossAttentionLayers, unet, unetTextKeyValues, unetTimeProjections} from '../models/unet.ts';
import type {UNetConfig} from '../models/unet-config.ts';
import {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {AdapterDescription} from '../weights/adapter-kind.ts';
import {type DiffusionLoss, diffusionLoss} from './diffusion-loss.ts';
import {type GradientsWithNorm, stateGradients} from './state-gradients.ts';
import {type NamedTensors, TrainableWeights} from './trainable-weights.ts';

export interface TrainedModel {
  readonly unet: Weights;
  readonly config: UNetConfig;
  readonly adapter: AdapterDescription;
  /** Of products and activations; weights, losses and moments are float32. */
  readonly dtype: ComputeDType;
  /** Whether activations are computed again on the way back instead of kept: less memory for more time. Default false. */
  readonly recompute?: boolean;
}

/** All float32, of one batch size B. */
export type AdapterBatch = {
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
  readonly condition: ImageTokensInputs;
  /** [layers, B]: weight of the image attention; 0 where a sample's image is dropped, else 1. */
  readonly imageScales: Tensor;
};

export type AdapterStepInputs = {
  /** Optimiser states [3, ...] by the weights' names. */
  readonly state: NamedTensors;
  readonly batch: AdapterBatch;
  /** float32 [1, 1, 1, 1]: gradients are those of so many times the loss. */
  readonly lossScale?: Tensor | undefined;
};

export type AdapterStepOutputs = GradientsWithNorm & {
  /** [1, 1, 1, 1] */
  readonly loss: Tensor;
  /** [B, 1, 1, 1]: mean squared error of each sample. */
  readonly errors: Tensor;
};

export type AdapterErrorsInputs = {
  /** float32, by their names. */
  readonly weights: NamedTensors;
  readonly batch: AdapterBatch;
};

/** To be compiled: loss and gradients of a batch. */
export function adapterGradients(
  model: TrainedModel,
  {state, batch, lossScale}: AdapterStepInputs,
): AdapterStepOutputs {
  const {recompute = false} = model;
  const lossOf = (weights: Weights) => adapterLoss(model, weights, batch);
  return stateGradients('adapter', state, lossOf, {recompute, lossScale});
}

/** To be compiled: the forward part alone, to the mean squared error of each sample, [B, 1, 1, 1]. */
export function adapterErrors(model: TrainedModel, {weights, batch}: AdapterErrorsInputs): Tensor {
  const given = new Weights(new TrainableWeights('adapter', name => weights[name]));
  return adapterLoss(model, given, batch).errors;
}

function adapterLoss(
  {unet: frozen, config, adapter, dtype}: TrainedModel,
  weights: Weights,
  batch: AdapterBatch,
): DiffusionLoss {
  const tokens = imageTokens(weights, adapter, batch.condition, dtype);
  const prediction = unet(
    frozen,
    config,
    {
      sample: batch.noisy,
      timeProjections: unetTimeProjections(frozen, config, batch.timesteps, dtype),
      textKeyValues: unetTextKeyValues(frozen, config, batch.encoderHiddenStates, dtype),
      imageKeyValues: adapterKeyValues(weights, crossAttentionLayers(config), tokens, dtype),
      imageScales: batch.imageScales,
    },
    dtype,
  );
  return diffusionLoss(prediction, batch.target, batch.weights);
}
