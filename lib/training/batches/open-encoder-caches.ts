/**
 * The caches of a run's frozen encoders, each with what its entries depend on besides pictures.
 */
import {ArgumentError} from '../../errors.ts';
import type {Component} from '../../pipelines/components/component.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import {adapterOf} from './encode-batch.ts';
import type {EncoderCaches} from './encoder-cache.ts';
import type {PictureSettings} from './prepare-pictures.ts';

/**
 * @param folder where the entries are
 * @throws ArgumentError for an encoder whose weights cannot be told from others, FileError where they are gone
 */
export async function openEncoderCaches(
  folder: string,
  models: PipelineModels,
  {buckets}: Pick<PictureSettings, 'buckets'>,
): Promise<EncoderCaches> {
  const {vae} = models;
  const {adapter, imageEncoder} = adapterOf(models);
  const target = [await identityOf(vae), vae.config, buckets];
  const {config, preprocess} = imageEncoder;
  const condition = [await identityOf(imageEncoder), config, preprocess, adapter.features];
  return {
    target: {folder, settings: JSON.stringify(target)},
    condition: {folder, settings: JSON.stringify(condition)},
  };
}

async function identityOf({label, dtype, weights: {source}}: Component): Promise<readonly string[]> {
  if (source.identity === undefined) {
    throw new ArgumentError(
      `cacheFolder: expected weights of ${label} that lie in files, got others. Train without a cache.`,
    );
  }
  return [label, dtype, await source.identity()];
}
