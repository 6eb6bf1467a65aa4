/**
 * What the frozen encoders make of a batch's pictures, or the cache has; the cache gets what it did not have.
 */
import type {RunOptions} from '../../engine/compiled-function.ts';
import type {Autoencoder, ScaledLatents} from '../../pipelines/components/autoencoder.ts';
import type {AdapterModels} from '../../pipelines/conditioning.ts';
import {type HostRows, type HostTensor, rowsOf, splitRows} from '../../pipelines/host-tensor.ts';
import type {PreparedSample} from './adapter-samples.ts';
import {encodeRows} from './encode-rows.ts';
import {writeEntry} from './encoder-cache.ts';
import type {PreparedPicture} from './prepare-pictures.ts';

/** Pixels that the autoencoder is given at a time: those of one picture of Stable Diffusion 1.5. */
const pixelsAtOnce = 512 * 512;

/** Pixels that an image encoder is given at a time on CUDA: of 8 pictures of CLIP's usual size. */
const conditionPixelsAtOnce = 8 * 224 * 224;

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
  const [, , height = 1, width = 1] = missing[0]?.pixels.shape ?? [];
  const rows = await encodeRows(
    vae.engine,
    missing,
    async pictures => {
      const {mean, standardDeviation} = await vae.encode(rowsOf(pictures.map(({pixels}) => pixels)), options);
      const deviations = splitRows(standardDeviation);
      return splitRows(mean).map((row, index) => ({mean: row, standardDeviation: deviations[index]!}));
    },
    Math.max(1, Math.floor(pixelsAtOnce / (height * width))),
  );
  for (const [index, target] of missing.entries()) made.set(target, rows[index]!);
  await writeEntries(missing, index => new Map(Object.entries(rows[index]!)));
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
): Promise<HostRows> {
  const features = new Map<PreparedSample, HostTensor>();
  const missing: {sample: PreparedSample; pixels: HostTensor; entry: string | undefined}[] = [];
  for (const sample of samples) {
    const {condition, choices} = sample;
    if (!choices.keepsImage) {
      features.set(sample, await imageEncoder.unconditional(adapter.features, 'zero', options));
    } else if ('encoded' in condition) features.set(sample, condition.encoded.get('features')!);
    else missing.push({sample, ...condition});
  }
  const {engine, preprocess} = imageEncoder;
  const rows = await encodeRows(
    engine,
    missing,
    async pictures =>
      splitRows(
        await imageEncoder.encode(rowsOf(pictures.map(({pixels}) => pixels)), adapter.features, options),
      ),
    engine.device.kind === 'cpu'
      ? undefined
      : Math.max(1, Math.floor(conditionPixelsAtOnce / preprocess.cropSize ** 2)),
  );
  for (const [index, {sample}] of missing.entries()) features.set(sample, rows[index]!);
  await writeEntries(missing, index => new Map([['features', rows[index]!]]));
  return rowsOf(samples.map(sample => features.get(sample)!));
}

/** What was made of each picture, for the cache where there is one. */
async function writeEntries(
  pictures: readonly {readonly entry: string | undefined}[],
  tensorsOf: (index: number) => ReadonlyMap<string, HostTensor>,
): Promise<void> {
  await Promise.all(
    pictures.map(({entry}, index) => (entry === undefined ? undefined : writeEntry(entry, tensorsOf(index)))),
  );
}
