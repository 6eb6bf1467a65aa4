import type {RgbImage} from './image.ts';
import {resizeLikePil} from './pil-resize.ts';

/** The whole picture, its longer side brought to `side`. */
export function fitInto(image: RgbImage, side: number): Promise<RgbImage> {
  const scale = side / Math.max(image.width, image.height);
  const [width, height] = [image.width, image.height].map(extent => Math.max(1, Math.round(extent * scale)));
  return resizeLikePil(image, {width: width!, height: height!}, 'bicubic');
}
