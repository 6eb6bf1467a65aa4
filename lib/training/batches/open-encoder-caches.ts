/**
 * The caches of a run's frozen encoders, each with what its entries depend on besides pictures.
 */
import {ArgumentError} from '../../errors.ts';
import type {Autoencoder} from '../../pipelines/components/autoencoder.ts';
import type {Component} from '../../pipelines/components/component.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import type {PictureSettings} from './adapter-samples.ts';
import {adapterOf} from './encode-batch.ts';
import type {EncoderCache, EncoderCaches} from './encoder-cache.ts';

/**
 * @param folder where the entries are
 * @throws ArgumentError for an encoder whose weights cannot be told from others, FileError where they are gone
 */
export async function openEncoderCaches(
  folder: string,
  models: PipelineModels,
  {buckets}: Pick<PictureSettings, 'buckets'>,
): Promise<EncoderCaches> {
  const {adapter, imageEncoder} = adapterOf(models);
  const {config, preprocess} = imageEncoder;
  const condition = [await identityOf(imageEncoder), config, preprocess, adapter.features];
  return {
    target: await openLatentCache(folder, models.vae, {buckets}),
    condition: {folder, settings: JSON.stringify(condition)},
  };
}

/** The part for an autoencoder. @throws as above */
export async function openLatentCache(
  folder: string,
  vae: Autoencoder,
  {buckets}: Pick<PictureSettings, 'buckets'>,
): Promise<EncoderCache> {
  return {folder, settings: JSON.stringify([await identityOf(vae), vae.config, buckets])};
}

async function identityOf({label, dtype, weights: {source}}: Component): Promise<readonly string[]> {
  if (source.identity === undefined) {
    throw new ArgumentError(
      `cacheFolder: expected weights of ${label} that lie in files, got others. Train without a cache.`,
    );
  }
  return [label, dtype, await source.identity()];
}
