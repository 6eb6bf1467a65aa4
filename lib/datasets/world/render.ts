/**
 * From factors to pixels.
 */
import sharp from 'sharp';
import type {RgbImage} from '../../images/image.ts';
import type {Factors} from './factors.ts';
import {pictureSvg} from './picture-svg.ts';
import {styleOf} from './styles.ts';

/** Pictures are drawn this many times larger than they are asked for, and averaged down. */
const oversampling = 2;

/** Draws a picture of `side` by `side` pixels. */
export async function renderPicture(factors: Factors, side: number): Promise<RgbImage> {
  const {cells} = styleOf(factors.style.name);
  const image = await rasterize(pictureSvg(factors, (cells ?? side) * oversampling));
  const small = averageDown(image, oversampling);
  return cells === undefined ? small : enlargeCells(small, side);
}

async function rasterize(svg: string): Promise<RgbImage> {
  const {data, info} = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({resolveWithObject: true});
  return {width: info.width, height: info.height, data};
}

/** The mean of each block of `factor` by `factor` pixels. */
function averageDown({width, height, data}: RgbImage, factor: number): RgbImage {
  const [columns, rows] = [width / factor, height / factor];
  const sums = new Uint32Array(columns * rows * 3);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / factor) * columns;
    for (let x = 0; x < width; x++) {
      const to = 3 * (row + Math.floor(x / factor));
      const from = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) sums[to + channel]! += data[from + channel]!;
    }
  }
  const share = factor * factor;
  return {width: columns, height: rows, data: Uint8Array.from(sums, sum => Math.round(sum / share))};
}

/** Each pixel of the picture as a square, with no blending. */
function enlargeCells({width, height, data}: RgbImage, side: number): RgbImage {
  const large = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const row = Math.floor((y * height) / side) * width;
    for (let x = 0; x < side; x++) {
      const from = 3 * (row + Math.floor((x * width) / side));
      large.set(data.subarray(from, from + 3), 3 * (y * side + x));
    }
  }
  return {width: side, height: side, data: large};
}
