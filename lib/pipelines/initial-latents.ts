/**
 * What denoising starts from: noise, or a picture with noise added; and what inpainting keeps.
 */

import type {RunOptions} from '../engine/compiled-function.ts';
import {ArgumentError, NumericError} from '../errors.ts';
import type {Color} from '../images/color.ts';
import {decodeImage, type ImageInput} from '../images/decode-image.ts';
import {imageToTensor, maskToLatentSize, maskToTensor} from '../images/latent-image.ts';
import type {TorchGenerator} from '../schedulers/torch-generator.ts';
import type {Autoencoder, ScaledLatents} from './components/autoencoder.ts';
import type {LatentsInput} from './generate-options.ts';
import type {HostTensor} from './host-tensor.ts';
import type {Sample} from './samples.ts';

export interface LatentSize {
  readonly channels: number;
  /** In pixels. */
  readonly height: number;
  readonly width: number;
}

export interface StartOptions extends RunOptions {
  readonly size: LatentSize;
  readonly background?: Color | undefined;
}

/** One sample's start. All latents are times the scaling factor, [1, channels, h, w]. */
export interface Start {
  /** Unit normal. */
  readonly noise: Float32Array;
  /** Of the picture to start from. */
  readonly imageLatents?: Float32Array | undefined;
  /** At latent size, 1 where the picture is painted anew; with `imageLatents` only. */
  readonly mask?: Float32Array | undefined;
  /** The picture with the masked part greyed out: for inpainting checkpoints, with `mask` only. */
  readonly maskedImageLatents?: Float32Array | undefined;
}

/**
 * Draws from the generator in diffusers' order: posterior of the picture, then noise, then posterior of the masked
 * picture, so that equal seeds give equal pictures.
 *
 * @param givenNoise takes the place of the generator's noise
 * @param forInpaintingCheckpoint whether the UNet reads the masked picture's latents
 */
export async function prepareStart(
  vae: Autoencoder,
  sample: Sample,
  generator: TorchGenerator,
  givenNoise: Float32Array | undefined,
  forInpaintingCheckpoint: boolean,
  options: StartOptions,
): Promise<Start> {
  const {size} = options;
  const shape = latentShape(size, vae.scaleFactor);
  if (sample.maskImage !== undefined && sample.image === undefined) {
    throw new ArgumentError(
      'maskImage: expected an image to paint in, but there is none. Give image as well.',
    );
  }
  const pixels = await imagePixels(sample.image, options);
  const imageLatents =
    pixels === undefined
      ? givenLatents(sample.image, shape)
      : await samplePosterior(vae, pixels, generator, options);
  const noise = givenNoise ?? generator.randn(shape);
  const maskPixels = await maskOf(sample.maskImage, options);
  const masked =
    forInpaintingCheckpoint && pixels !== undefined && maskPixels !== undefined
      ? await samplePosterior(vae, greyOut(pixels, maskPixels), generator, options)
      : undefined;
  const mask = maskPixels && maskToLatentSize(maskPixels, size.width, size.height, vae.scaleFactor);
  return {noise, imageLatents, mask, maskedImageLatents: masked};
}

/** [1, channels, height / factor, width / factor] */
export function latentShape({channels, height, width}: LatentSize, scaleFactor: number): number[] {
  return [1, channels, height / scaleFactor, width / scaleFactor];
}

/**
 * The option `latents` by sample.
 *
 * @throws ArgumentError for another number of values, NumericError for values that are not finite
 */
export function splitLatents(latents: Float32Array, shape: readonly number[], count: number): Float32Array[] {
  const size = shape.reduce((product, extent) => product * extent, 1);
  if (!(latents instanceof Float32Array) || latents.length !== count * size) {
    const expected = [count, ...shape.slice(1)].join(', ');
    throw new ArgumentError(
      `latents: expected a Float32Array of ${count * size} values [${expected}], got ${latents.length}.`,
    );
  }
  const bad = latents.findIndex(value => !Number.isFinite(value));
  if (bad >= 0)
    throw new NumericError(`latents: expected finite values, got ${latents[bad]} at index ${bad}.`);
  return Array.from({length: count}, (_, index) => latents.subarray(index * size, (index + 1) * size));
}

function isLatents(image: ImageInput | LatentsInput | undefined): image is LatentsInput {
  return typeof image === 'object' && 'latents' in image;
}

function givenLatents(
  image: ImageInput | LatentsInput | undefined,
  shape: readonly number[],
): Float32Array | undefined {
  return isLatents(image) ? splitLatents(image.latents, shape, 1)[0] : undefined;
}

async function imagePixels(
  image: ImageInput | LatentsInput | undefined,
  {size, background}: StartOptions,
): Promise<HostTensor | undefined> {
  if (image === undefined || isLatents(image)) return undefined;
  const decoded = await decodeImage(image, {name: 'image', ...(background !== undefined && {background})});
  const data = await imageToTensor(decoded, size.width, size.height);
  return {shape: [1, 3, size.height, size.width], data};
}

async function maskOf(
  mask: ImageInput | undefined,
  {size, background}: StartOptions,
): Promise<Float32Array | undefined> {
  if (mask === undefined) return undefined;
  const decoded = await decodeImage(mask, {name: 'maskImage', ...(background !== undefined && {background})});
  return maskToTensor(decoded, size.width, size.height);
}

/** Latents drawn from the posterior of a picture [1, 3, H, W]. */
export async function samplePosterior(
  vae: Autoencoder,
  pixels: HostTensor,
  generator: TorchGenerator,
  options: RunOptions,
): Promise<Float32Array> {
  return drawLatents(await vae.encode(pixels, options), generator);
}

export function drawLatents(
  {mean, standardDeviation}: ScaledLatents,
  generator: TorchGenerator,
): Float32Array {
  const latents = generator.randn(mean.shape);
  // A loop over indices: training waits for this, and callbacks of `map` take ten times as long.
  for (let i = 0; i < latents.length; i++) {
    latents[i] = mean.data[i]! + standardDeviation.data[i]! * latents[i]!;
  }
  return latents;
}

/** Pixels under the mask become 0, mid grey in -1 … 1. */
function greyOut({shape, data}: HostTensor, mask: Float32Array): HostTensor {
  return {shape, data: data.map((value, index) => (mask[index % mask.length]! < 0.5 ? value : 0))};
}
