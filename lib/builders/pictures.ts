/**
 * Pictures of sources, and what builders make of them.
 */
import sharp from 'sharp';
import {FileError} from '../errors.ts';
import type {Region} from '../images/crop-image.ts';
import {cropImage} from '../images/crop-image.ts';
import {decodeImage} from '../images/decode-image.ts';
import type {RgbImage} from '../images/image.ts';
import type {LeftOut, SourceCredit} from './builder.ts';
import type {SourcePicture} from './sources/picture-source.ts';

/** Smaller pictures show too little: CLIP's smallest input is 224 pixels wide. */
export const smallestSide = 64;

export const pictureFilters = [
  'pictures that cannot be read',
  `pictures with a side under ${smallestSide} pixels`,
];

export interface OpenedPicture {
  readonly image: RgbImage;
  readonly caption?: string | undefined;
  readonly credit: SourceCredit;
}

/** A picture of a source, or why it cannot be used. */
export async function loadPicture(picture: SourcePicture): Promise<OpenedPicture | LeftOut> {
  try {
    const {bytes, caption, license} = await picture.load();
    const {frames, ...image} = await decodeImage(bytes, {name: picture.name});
    if (Math.min(image.width, image.height) < smallestSide) {
      return {leftOut: 'too small', detail: `${picture.name} is ${image.width}x${image.height}`};
    }
    return {image, caption, credit: {name: picture.name, ...(license !== undefined && {license})}};
  } catch (error) {
    return asLeftOut(error);
  }
}

export function isPicture(loaded: OpenedPicture | LeftOut): loaded is OpenedPicture {
  return 'image' in loaded;
}

/** For a file that is missing or damaged: one of many that go. Everything else ends the build. */
function asLeftOut(error: unknown): LeftOut {
  if (error instanceof FileError) return {leftOut: 'not readable', detail: error.message};
  throw error;
}

/** The picture with its shorter side brought down to `side`, if it is longer. */
export async function shrinkTo(image: RgbImage, side: number): Promise<RgbImage> {
  const scale = side / Math.min(image.width, image.height);
  if (scale >= 1) return image;
  const [width, height] = [image.width, image.height].map(extent => Math.round(extent * scale));
  return resize(image, width!, height!);
}

/** The largest square in the middle, `side` by `side` pixels. */
export function centerSquare(image: RgbImage, side: number): Promise<RgbImage> {
  const extent = Math.min(image.width, image.height);
  const [left, top] = [(image.width - extent) >> 1, (image.height - extent) >> 1];
  return resize(cropImage(image, {left, top, width: extent, height: extent}), side, side);
}

async function resize(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  const {data} = await sharp(image.data, {raw: {width: image.width, height: image.height, channels: 3}})
    .resize(width, height, {fit: 'fill', kernel: 'lanczos3'})
    .raw()
    .toBuffer({resolveWithObject: true});
  return {width, height, data};
}

/** A part of a picture; what lies outside of it is of `color`. */
export function cropPadded(
  image: RgbImage,
  {left, top, width, height}: Region,
  color: readonly [number, number, number],
): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = color[i % 3]!;
  const [from, to] = [Math.max(0, left), Math.min(image.width, left + width)];
  for (let y = Math.max(0, top); y < Math.min(image.height, top + height); y++) {
    const row = image.data.subarray(3 * (y * image.width + from), 3 * (y * image.width + to));
    if (to > from) data.set(row, 3 * ((y - top) * width + from - left));
  }
  return {width, height, data};
}

/** The picture in the middle of a square of `color`. */
export function padToSquare(image: RgbImage, color: readonly [number, number, number]): RgbImage {
  const {width, height} = image;
  const side = Math.max(width, height);
  const [left, top] = [-((side - width) >> 1), -((side - height) >> 1)];
  return cropPadded(image, {left, top, width: side, height: side}, color);
}
