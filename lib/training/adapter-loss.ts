/**
 * The loss of an adapter on a frozen UNet (Rowles et al. 2024, eq. 2).
 */
import type {Tensor} from '../graph/tensor.ts';
import {adapterKeyValues, type ImageTokensInputs, imageTokens} from '../models/ip-adapter.ts';
import {crossAttentionLayers} from '../models/unet.ts';
import type {UNetConfig} from '../models/unet-config.ts';
import {Weights} from '../nn/weights.ts';
import type {ComputeDType} from '../pipelines/compute-dtype.ts';
import type {AdapterDescription} from '../weights/adapter-kind.ts';
import type {DiffusionLoss} from './diffusion-loss.ts';
import {type NamedTensors, TrainableWeights} from './trainable-weights.ts';
import {type UNetBatch, unetLoss} from './unet-loss.ts';

export interface TrainedModel {
  readonly unet: Weights;
  readonly config: UNetConfig;
  readonly adapter: AdapterDescription;
  /** Of products and activations; weights, losses and moments are float32. */
  readonly dtype: ComputeDType;
}

/** All float32, of one batch size B. */
export type AdapterBatch = UNetBatch & {
  readonly condition: ImageTokensInputs;
  /** [layers, B]: weight of the image attention; 0 where a sample's image is dropped, else 1. */
  readonly imageScales: Tensor;
};

export type AdapterErrorsInputs = {
  /** float32, by their names. */
  readonly weights: NamedTensors;
  readonly batch: AdapterBatch;
};

/** To be compiled: the forward part alone, to the mean squared error of each sample, [B, 1, 1, 1]. */
export function adapterErrors(model: TrainedModel, {weights, batch}: AdapterErrorsInputs): Tensor {
  const given = new Weights(new TrainableWeights('adapter', name => weights[name]));
  return adapterLoss(model, given, batch).errors;
}

/** To be called while tracing. */
export function adapterLoss(
  {unet: frozen, config, adapter, dtype}: TrainedModel,
  weights: Weights,
  batch: AdapterBatch,
): DiffusionLoss {
  const tokens = imageTokens(weights, adapter, batch.condition, dtype);
  const keyValues = adapterKeyValues(weights, crossAttentionLayers(config), tokens, dtype);
  return unetLoss(frozen, config, batch, dtype, [{keyValues, scales: batch.imageScales}]);
}
