/**
 * The condition of the task "object": an object cut out of its picture, padded to a square (Rowles et al. 2024, §3.4).
 */
import {toRgb} from '../../images/color.ts';
import type {RgbImage} from '../../images/image.ts';
import {sheetSide} from './backgrounds.ts';
import type {Scene} from './factors.ts';
import {placements} from './layouts.ts';
import {objectBounds} from './object-bounds.ts';
import {objectBox} from './objects.ts';
import {renderPicture} from './render.ts';

export interface Crop {
  /** Colour of the padding, as `#rrggbb`. */
  readonly padding: string;
  /** Width of the padding along the longer side of the crop, as a share of the result. */
  readonly margin: number;
}

/** The scene's first object, `side` by `side` pixels with its padding. */
export async function renderCrop(scene: Scene, {padding, margin}: Crop, side: number): Promise<RgbImage> {
  const bounds = await objectBounds(scene.object.kind);
  const [place] = placements(scene.layout);
  const unit = place!.side / objectBox;
  const inner = Math.round(side * (1 - 2 * margin));
  // Drawn so large that the crop needs no resampling.
  const pixel = inner / (Math.max(bounds.width, bounds.height) * unit);
  const picture = await renderPicture(scene, Math.round(sheetSide * pixel));
  const toPixels = (units: number) => Math.round(units * pixel);
  const left = toPixels(place!.x - place!.side / 2 + bounds.x * unit);
  const top = toPixels(place!.bottom - place!.side + bounds.y * unit);
  const [width, height] = [toPixels(bounds.width * unit), toPixels(bounds.height * unit)];
  return pasteOn(solid(padding, side), picture, {left, top, width, height});
}

function solid(color: string, side: number): RgbImage {
  const rgb = toRgb('padding', color);
  return {width: side, height: side, data: Uint8Array.from({length: side * side * 3}, (_, i) => rgb[i % 3]!)};
}

/** Copies a part of a picture, as far as it lies inside, into the middle of a square. */
function pasteOn(
  square: RgbImage,
  picture: RgbImage,
  part: {readonly left: number; readonly top: number; readonly width: number; readonly height: number},
): RgbImage {
  const data = Uint8Array.from(square.data);
  const [left, top] = [Math.max(0, part.left), Math.max(0, part.top)];
  const right = Math.min(picture.width, part.left + part.width);
  const bottom = Math.min(picture.height, part.top + part.height);
  const toX = (square.width - part.width) >> 1;
  const toY = (square.height - part.height) >> 1;
  for (let y = top; y < bottom; y++) {
    const from = 3 * (y * picture.width + left);
    const to = 3 * ((toY + y - part.top) * square.width + toX + left - part.left);
    data.set(picture.data.subarray(from, from + 3 * (right - left)), to);
  }
  return {...square, data};
}
