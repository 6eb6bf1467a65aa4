import type {TrainedModel} from '../adapter-loss.ts';
import {adapterOf} from '../batches/encode-batch.ts';
import type {ResolvedTrainerOptions} from '../trainer-options.ts';

/** What of a run the loss depends on. */
export type AdapterLossOptions = Pick<ResolvedTrainerOptions, 'models' | 'dtype'>;

/** @throws ArgumentError where the models have no adapter */
export function trainedModel({models, dtype}: AdapterLossOptions): TrainedModel {
  const {weights: unet, config} = models.denoiser;
  return {unet, config, adapter: adapterOf(models).adapter.description, dtype};
}
