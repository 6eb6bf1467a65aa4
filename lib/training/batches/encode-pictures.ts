/**
 * What the frozen encoders make of a batch's pictures, or the cache has; the cache gets what it did not have.
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import type {Autoencoder, ScaledLatents} from '../../pipelines/components/autoencoder.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import {gatherRows, type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import type {PreparedSample} from './adapter-samples.ts';
import {encodeRows} from './encode-rows.ts';
import {writeEntry} from './encoder-cache.ts';
import type {PreparedPicture} from './prepare-pictures.ts';

/** Pixels that the autoencoder is given at a time: those of one picture of Stable Diffusion 1.5. */
const pixelsAtOnce = 512 * 512;

/**
 * The distributions of targets' latents, [1, C, h, w] each. Targets are of one size.
 *
 * @throws FileError where the cache cannot be written
 */
export async function encodeTargets(
  vae: Autoencoder,
  targets: readonly PreparedPicture[],
  options: RunOptions,
): Promise<ScaledLatents[]> {
  const missing = targets.filter(target => 'pixels' in target);
  const made = new Map<PreparedPicture, ScaledLatents>();
  const [, , height, width] = missing[0]?.pixels.shape ?? [];
  // Rows have the bits that they have alone on the CPU only; see `encodeRows`.
  const atOnce =
    vae.engine.device.kind === 'cpu' ? Math.max(1, Math.floor(pixelsAtOnce / (height! * width!))) : 1;
  for (let begin = 0; begin < missing.length; begin += atOnce) {
    const group = missing.slice(begin, begin + atOnce);
    const {mean, standardDeviation} = await vae.encode(stackRows(group.map(({pixels}) => pixels)), options);
    for (const [row, target] of group.entries()) {
      const latents = {
        mean: gatherRows(mean, [row]),
        standardDeviation: gatherRows(standardDeviation, [row]),
      };
      made.set(target, latents);
      if (target.entry !== undefined) await writeEntry(target.entry, new Map(Object.entries(latents)));
    }
  }
  return targets.map(target =>
    'encoded' in target
      ? {mean: target.encoded.get('mean')!, standardDeviation: target.encoded.get('standardDeviation')!}
      : made.get(target)!,
  );
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
