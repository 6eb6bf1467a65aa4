import type {RgbImage} from './image.ts';

/** A rectangle in pixels of a picture. */
export interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A copy of a rectangle that lies within the picture. */
export function cropImage(image: RgbImage, {left, top, width, height}: Region): RgbImage {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const begin = ((top + y) * image.width + left) * 3;
    data.set(image.data.subarray(begin, begin + width * 3), y * width * 3);
  }
  return {width, height, data};
}
