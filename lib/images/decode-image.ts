import {readFile, stat} from 'node:fs/promises';
import sharp, {type Sharp} from 'sharp';
import {ArgumentError, describeValue, FileError} from '../errors.ts';
import {type Color, type Rgb, toRgb} from './color.ts';
import {checkRawImage, maxImageSide, type RawImage, type RgbImage} from './image.ts';
import {decodePlainPng} from './plain-png.ts';

/** A picture to read: the path of a file, its bytes, or uncompressed samples. */
export type ImageInput = string | Uint8Array | RawImage;

export interface DecodeImageOptions {
  /** What shows through where the picture is transparent. Default: white. */
  readonly background?: Color;
  /** What error messages call the picture. Default: `image`. */
  readonly name?: string;
  /** A picture file with more is refused before it is decoded. Default: 268 million, sharp's limit. */
  readonly maxPixels?: number;
}

export interface DecodedImage extends RgbImage {
  /** How many frames or pages the file holds; only the first is decoded. */
  readonly frames: number;
}

/** Truncated and corrupt data fail; what decoders only warn of is accepted, as PIL does. */
const failOn = 'error';

/** Sharp's own. */
const sharpPixelLimit = 0x3fff ** 2;

const formats = 'JPEG, PNG, WebP, GIF, AVIF, TIFF or SVG';

/**
 * Reads a picture of any format, colour space and bit depth that sharp reads into 8-bit sRGB.
 *
 * - EXIF orientation is applied. Embedded colour profiles are used for CMYK only: PIL, and so the reference
 *   preprocessing, ignores them, and the encoders were trained that way.
 * - Alpha is composited on `background`. PIL's `convert('RGB')` drops alpha instead and shows whatever colour the
 *   transparent pixels happen to hold; results therefore differ from the references for pictures with alpha only.
 * - Of an animation or a document, the first frame; `frames` says how many there are.
 * - A file is read into memory first, so that an SVG has no base address: references to other files and to the network
 *   are not followed (librsvg then allows none but `data:`).
 * - Sides over 65,535 and pictures over `maxPixels` are refused before they are decoded.
 *
 * @throws ArgumentError if the input is none of the three kinds, or a raw picture does not have the bytes it claims
 * @throws FileError if the file cannot be read, or is no picture, empty, truncated, corrupt or too large
 */
export async function decodeImage(
  input: ImageInput,
  options: DecodeImageOptions = {},
): Promise<DecodedImage> {
  const name = options.name ?? 'image';
  const background = toRgb('background', options.background ?? 'white');
  const {maxPixels = sharpPixelLimit} = options;
  if (typeof input === 'string') {
    const place = `${name} '${input}'`;
    return decodeBytes(await readPictureFile(input, place), place, background, maxPixels);
  }
  if (input instanceof Uint8Array) {
    return decodeBytes(input, `${name} (${input.length} bytes)`, background, maxPixels);
  }
  if (input !== null && typeof input === 'object' && 'data' in input)
    return decodeRaw(input, name, background);
  throw new ArgumentError(
    `${name}: expected a path, the bytes of a picture, or {width, height, channels, data}, ` +
      `but received ${describeValue(input)}.`,
  );
}

/** The bytes of a picture file. @param place of messages @throws FileError where it cannot be read */
export async function readPictureFile(path: string, place: string): Promise<Uint8Array> {
  try {
    const entry = await stat(path);
    if (!entry.isFile()) throw new Error(entry.isDirectory() ? 'it is a folder' : 'it is not a regular file');
    return await readFile(path);
  } catch (cause) {
    throw new FileError(
      `${place}: expected a readable picture file, but ${(cause as Error).message}. Check the path.`,
      {cause},
    );
  }
}

async function decodeBytes(
  bytes: Uint8Array,
  place: string,
  background: Rgb,
  maxPixels: number,
): Promise<DecodedImage> {
  if (bytes.length === 0) {
    throw new FileError(`${place}: expected a picture (${formats}), but it is empty. Check how it was made.`);
  }
  const plain = decodePlainPng(bytes);
  if (plain !== undefined && plain.width * plain.height <= maxPixels) return {...plain, frames: 1};
  try {
    const {space, width, height, pages} = await sharp(bytes, {failOn}).metadata();
    if (Math.max(width, height) > maxImageSide) {
      throw new Error(`it is ${width}x${height}, and sides may be at most ${maxImageSide}`);
    }
    const source = sharp(bytes, {
      failOn,
      autoOrient: true,
      ignoreIcc: space !== 'cmyk',
      limitInputPixels: maxPixels,
    });
    return {...(await toRgbImage(source, background)), frames: pages ?? 1};
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n');
    throw new FileError(
      `${place}: expected a whole picture (${formats}) of at most ${millions(maxPixels)} million pixels, but decoding failed: ${reason}. ` +
        'Open it in a picture viewer, and save it again as PNG or JPEG.',
      {cause},
    );
  }
}

function millions(count: number): number {
  return Number((count / 1e6).toPrecision(3));
}

async function decodeRaw(image: RawImage, name: string, background: Rgb): Promise<DecodedImage> {
  checkRawImage(name, image);
  const {width, height, channels} = image;
  const source = sharp(image.data, {raw: {width, height, channels}, limitInputPixels: false});
  return {...(await toRgbImage(source, background)), frames: 1};
}

async function toRgbImage(source: Sharp, [r, g, b]: Rgb): Promise<RgbImage> {
  const {data, info} = await source
    // To RGB before the background is laid under it: in a grey picture that would be grey too.
    .pipelineColourspace('srgb')
    .flatten({background: {r, g, b}})
    .raw({depth: 'uchar'})
    .toBuffer({resolveWithObject: true});
  return {width: info.width, height: info.height, data};
}
