import {ArgumentError, invalidArgument} from '../errors.ts';
import {type Color, toRgb} from './color.ts';
import {checkRgbImage, type RgbImage} from './image.ts';
import {type ResampleFilter, resizeLikePil} from './pil-resize.ts';
import {roundHalfEven} from './round-half-even.ts';
import {toPlanes} from './to-planes.ts';

/** Three numbers, one for each of red, green and blue. */
export type PerChannel = readonly [red: number, green: number, blue: number];

/**
 * How a picture of any shape becomes a square:
 * - `crop`: the shorter side is resized to `size`, then the centre is cut out (what the encoders were trained on);
 * - `stretch`: the whole picture is resized to the square, its proportions change;
 * - `pad`: the whole picture is resized to fit, and centred on `padColor`.
 */
export const imageFits = ['crop', 'stretch', 'pad'] as const;
export type ImageFit = (typeof imageFits)[number];

/** What a `preprocessor_config.json` settles. */
export interface ClipPreprocessConfig {
  /** Length of the shorter side before the centre is cut out; used by `fit: 'crop'` only. */
  readonly size: number;
  /** Side of the square that the image encoder takes. */
  readonly cropSize: number;
  readonly filter: ResampleFilter;
  /** Factor that brings 0..255 to the range of `mean` and `std`. */
  readonly rescaleFactor: number;
  readonly mean: PerChannel;
  readonly std: PerChannel;
  readonly fit: ImageFit;
}

export interface ClipPreprocessOptions extends Partial<ClipPreprocessConfig> {
  /** What fills the square beside a padded picture. Default: black. */
  readonly padColor?: Color;
}

/** The settings of OpenAI's CLIP, which all CLIP image encoders of IP-Adapter share. */
export const clipDefaults: ClipPreprocessConfig = {
  size: 224,
  cropSize: 224,
  filter: 'bicubic',
  rescaleFactor: 1 / 255,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
  fit: 'crop',
};

/**
 * Prepares a picture for a CLIP image encoder: float32 `[1, 3, cropSize, cropSize]`, channels first.
 *
 * Equal, bit for bit, to transformers' `CLIPImageProcessor` on PIL pictures with `fit: 'crop'`: shorter side to `size`
 * and longer side to trunc(size * long / short) with PIL's resampling, centre crop, then
 * (float32(value * rescaleFactor) - mean) / std in float32. `fit: 'pad'` is `PIL.ImageOps.pad` before the normalisation.
 *
 * @throws ArgumentError if `image` is no decoded picture or an option is out of range
 */
export async function preprocessForClip(
  image: RgbImage,
  options: ClipPreprocessOptions = {},
): Promise<Float32Array> {
  checkRgbImage('image', image);
  const settings = {padColor: 'black', ...clipDefaults, ...options} as const;
  checkSettings(settings);
  return normalize(await toSquare(image, settings), settings);
}

type Settings = ClipPreprocessConfig & {readonly padColor: Color};

function checkSettings(settings: Settings): void {
  const {size, cropSize, fit} = settings;
  if (!Number.isInteger(cropSize) || cropSize < 1)
    throw invalidArgument('cropSize', 'an integer > 0', cropSize);
  if (!['crop', 'stretch', 'pad'].includes(fit))
    throw invalidArgument('fit', "'crop', 'stretch' or 'pad'", fit);
  if (!Number.isInteger(size) || size < cropSize) {
    throw new ArgumentError(
      `size: expected an integer of at least cropSize (${cropSize}) but received ${size}. ` +
        'Give a size that the square can be cut out of.',
    );
  }
}

function toSquare(image: RgbImage, settings: Settings): Promise<RgbImage> {
  const {cropSize, filter} = settings;
  if (settings.fit === 'stretch') return resizeLikePil(image, {width: cropSize, height: cropSize}, filter);
  return settings.fit === 'pad' ? pad(image, settings) : centerCrop(image, settings);
}

function centerCrop(image: RgbImage, {size, cropSize, filter}: Settings): Promise<RgbImage> {
  const long = Math.trunc((size * Math.max(image.width, image.height)) / Math.min(image.width, image.height));
  const resized = image.width <= image.height ? {width: size, height: long} : {width: long, height: size};
  return resizeLikePil(image, resized, filter, {
    left: Math.floor((resized.width - cropSize) / 2),
    top: Math.floor((resized.height - cropSize) / 2),
    width: cropSize,
    height: cropSize,
  });
}

async function pad(image: RgbImage, {cropSize, filter, padColor}: Settings): Promise<RgbImage> {
  const color = toRgb('padColor', padColor);
  const long = Math.max(image.width, image.height);
  // PIL refuses a picture so narrow that its short side rounds to nothing; ours keeps a line.
  const fitted = (side: number) => Math.max(roundHalfEven((side / long) * cropSize), 1);
  const inner = await resizeLikePil(
    image,
    {width: fitted(image.width), height: fitted(image.height)},
    filter,
  );
  const left = roundHalfEven((cropSize - inner.width) / 2);
  const top = roundHalfEven((cropSize - inner.height) / 2);
  const data = new Uint8Array(cropSize * cropSize * 3);
  for (let index = 0; index < data.length; index++) data[index] = color[index % 3]!;
  for (let y = 0; y < inner.height; y++) {
    const row = inner.data.subarray(y * inner.width * 3, (y + 1) * inner.width * 3);
    data.set(row, ((top + y) * cropSize + left) * 3);
  }
  return {width: cropSize, height: cropSize, data};
}

function normalize(image: RgbImage, {rescaleFactor, mean, std}: Settings): Float32Array {
  return toPlanes(image, (value, channel) => {
    const shifted = Math.fround(Math.fround(value * rescaleFactor) - Math.fround(mean[channel]!));
    return shifted / Math.fround(std[channel]!);
  });
}
