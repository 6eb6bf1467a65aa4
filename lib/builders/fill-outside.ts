import sharp from 'sharp';
import type {RgbImage} from '../images/image.ts';

/**
 * The picture with `color` wherever no polygon covers at least half of a pixel.
 *
 * @param polygons x and y of their corners by turns, in pixels
 */
export async function fillOutside(
  image: RgbImage,
  polygons: readonly (readonly number[])[],
  color: readonly [number, number, number],
): Promise<RgbImage> {
  const {width, height} = image;
  const shapes = polygons.map(corners => `<polygon points="${corners.join(' ')}" fill="#fff"/>`).join('');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%"/>${shapes}</svg>`;
  const mask = await sharp(Buffer.from(svg)).removeAlpha().extractChannel(0).raw().toBuffer();
  const data = Uint8Array.from(image.data, (value, i) =>
    mask[Math.floor(i / 3)]! >= 128 ? value : color[i % 3]!,
  );
  return {width, height, data};
}
