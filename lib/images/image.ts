import {ArgumentError, describeValue, invalidArgument} from '../errors.ts';

/** An 8-bit sRGB picture: row-major, channels last, `data.length === height * width * 3`. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Uncompressed 8-bit samples from elsewhere: grey, grey + alpha, RGB or RGBA, row-major, channels last. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 2 | 3 | 4;
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** An 8-bit grey picture: row-major, `data.length === height * width`. It may be given wherever a picture is taken. */
export interface GrayImage extends RawImage {
  readonly channels: 1;
  readonly data: Uint8Array;
}

/**
 * The longest side of a picture that is accepted (JPEG's limit). It bounds the resampling weights, which grow with the
 * side and not with the area: a picture of one row may otherwise be small on disk and cost gigabytes.
 */
export const maxImageSide = 65_535;

/** Throws an ArgumentError unless `image` has the sides and the number of bytes that it claims. */
export function checkRawImage(name: string, image: RawImage): void {
  for (const side of ['width', 'height'] as const) {
    const value = image[side];
    if (!Number.isInteger(value) || value < 1 || value > maxImageSide) {
      throw invalidArgument(`${name}.${side}`, `an integer from 1 to ${maxImageSide}`, value);
    }
  }
  if (![1, 2, 3, 4].includes(image.channels)) {
    throw invalidArgument(`${name}.channels`, '1, 2, 3 or 4', image.channels);
  }
  if (!(image.data instanceof Uint8Array || image.data instanceof Uint8ClampedArray)) {
    throw invalidArgument(`${name}.data`, 'a Uint8Array or Uint8ClampedArray', image.data);
  }
  const expected = image.width * image.height * image.channels;
  if (image.data.length !== expected) {
    throw new ArgumentError(
      `${name}.data: expected ${image.width} * ${image.height} * ${image.channels} = ${expected} bytes but ` +
        `received ${image.data.length}. Give width, height and channels of the data.`,
    );
  }
}

/** Throws an ArgumentError unless `value` is an RgbImage. */
export function checkRgbImage(name: string, value: RgbImage): void {
  if (value === null || typeof value !== 'object') {
    throw new ArgumentError(
      `${name}: expected a decoded picture {width, height, data} but received ${describeValue(value)}. ` +
        'Use decodeImage for a file.',
    );
  }
  checkRawImage(name, {width: value.width, height: value.height, channels: 3, data: value.data});
}

/** Throws an ArgumentError unless `value` is a GrayImage. */
export function checkGrayImage(name: string, value: GrayImage): void {
  if (value === null || typeof value !== 'object' || value.channels !== 1) {
    throw new ArgumentError(
      `${name}: expected a grey picture {width, height, channels: 1, data} but received ${describeValue(value)}.`,
    );
  }
  checkRawImage(name, value);
}
