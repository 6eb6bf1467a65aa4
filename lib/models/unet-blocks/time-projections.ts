import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {castTo, linear, silu} from '../../nn/layers.ts';
import type {Weights} from '../../nn/weights.ts';
import type {DType} from '../../runtime/dtype.ts';
import {layersOf, type ModelPlan, type ResnetPlan} from './block-plan.ts';
import type {TrunkConfig} from './trunk-config.ts';

/**
 * What each resnet adds to its pixels at each timestep: sinusoidal embedding, time MLP, SiLU, then each resnet's own
 * `time_emb_proj`. Constant over a schedule, so that it runs once.
 *
 * @param timesteps float32 [S]
 * @returns float32 [S, total]: the channels of all resnets joined in execution order
 */
export function timeProjections(
  weights: Weights,
  config: TrunkConfig,
  plan: ModelPlan,
  timesteps: Tensor,
  dtype: DType,
): Tensor {
  const {flipSinToCos, freqShift, timeEmbeddingDim} = config;
  const sinusoids = ops.timestepEmbedding(
    {timesteps},
    {
      dim: config.blockOutChannels[0]!,
      flip_sin_to_cos: flipSinToCos,
      downscale_freq_shift: freqShift,
      max_period: 10_000,
    },
  );
  const place = weights.at('time_embedding');
  const hidden = silu(linear(place.at('linear_1'), castTo(sinusoids, dtype), timeEmbeddingDim));
  const embedding = silu(linear(place.at('linear_2'), hidden, timeEmbeddingDim));
  const parts = layersOf(plan).map(({resnet}) =>
    linear(weights.at(resnet.path, 'time_emb_proj'), embedding, resnet.outChannels),
  );
  return castTo(ops.concat({parts}, {axis: 1}), 'float32');
}

/** Columns of {@link timeProjections}. */
export function timeProjectionChannels(plan: ModelPlan): number {
  return layersOf(plan).reduce((sum, {resnet}) => sum + resnet.outChannels, 0);
}

/** Cuts {@link timeProjections} into each resnet's part [B or 1, outChannels]. */
export function sliceTimeProjections(plan: ModelPlan, projections: Tensor): Map<ResnetPlan, Tensor> {
  const parts = new Map<ResnetPlan, Tensor>();
  let start = 0;
  for (const {resnet} of layersOf(plan)) {
    const length = resnet.outChannels;
    parts.set(resnet, ops.slice({x: projections}, {axis: 1, start, length}));
    start += length;
  }
  return parts;
}
