/**
 * The networks see pictures that were made square: the longer side fills the square, the picture stands in the middle.
 */
import type {RgbImage} from '../images/image.ts';
import type {Point} from './face.ts';

/** From shares of the square's side to pixels of the picture. */
export interface PaddedSquare {
  /** Pixels of the picture along the square's side. */
  readonly side: number;
  readonly toPicture: (share: Point) => Point;
}

export function paddedSquare({width, height}: Pick<RgbImage, 'width' | 'height'>): PaddedSquare {
  const side = Math.max(width, height);
  const toPicture = ({x, y}: Point) => ({
    x: x * side - (side - width) / 2,
    y: y * side - (side - height) / 2,
  });
  return {side, toPicture};
}
