/**
 * What the frozen encoders make of a batch's pictures, or the cache has; the cache gets what it did not have.
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import type {Autoencoder, ScaledLatents} from '../../pipelines/components/autoencoder.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import type {PreparedSample} from './adapter-samples.ts';
import {encodeRows} from './encode-rows.ts';
import {writeEntry} from './encoder-cache.ts';
import type {PreparedPicture} from './prepare-pictures.ts';

/**
 * The distribution of a target's latents, [1, C, h, w].
 *
 * @throws FileError where the cache cannot be written
 */
export async function encodeTarget(
  vae: Autoencoder,
  target: PreparedPicture,
  options: RunOptions,
): Promise<ScaledLatents> {
  if ('encoded' in target) {
    return {mean: target.encoded.get('mean')!, standardDeviation: target.encoded.get('standardDeviation')!};
  }
  const {mean, standardDeviation} = await vae.encode(target.pixels, options);
  if (target.entry !== undefined)
    await writeEntry(target.entry, new Map(Object.entries({mean, standardDeviation})));
  return {mean, standardDeviation};
}

/**
 * Features of the condition images, [B, …]; of the zero image where one is dropped, as IP-Adapter's training has it.
 *
 * @throws FileError where the cache cannot be written
 */
export async function encodeConditions(
  {adapter, imageEncoder}: AdapterModels,
  samples: readonly PreparedSample[],
  options: RunOptions,
): Promise<HostTensor> {
  const features = new Map<PreparedSample, HostTensor>();
  const missing: {sample: PreparedSample; pixels: HostTensor; entry: string | undefined}[] = [];
  for (const sample of samples) {
    const {condition, choices} = sample;
    if (!choices.keepsImage) {
      features.set(sample, await imageEncoder.unconditional(adapter.features, 'zero', options));
    } else if ('encoded' in condition) features.set(sample, condition.encoded.get('features')!);
    else missing.push({sample, ...condition});
  }
  const rows = await encodeRows(imageEncoder.engine, missing, pictures =>
    imageEncoder.encode(stackRows(pictures.map(({pixels}) => pixels)), adapter.features, options),
  );
  for (const [index, {sample, entry}] of missing.entries()) {
    const row = rows[index]!;
    features.set(sample, row);
    if (entry !== undefined) await writeEntry(entry, new Map([['features', row]]));
  }
  return stackRows(samples.map(sample => features.get(sample)!));
}
