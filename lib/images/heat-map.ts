/**
 * Numbers over a picture, as colours.
 */
import {invalidArgument} from '../errors.ts';
import {checkRgbImage, type RgbImage} from './image.ts';

/** How much of a result is colour; the rest is the picture's luma. */
const opacity = 0.7;

/** Of cubehelix: the hue at its dark end (1 is red, 2 green, 3 blue), turns to the light end, and saturation. */
const start = 2.75;
const turns = 0.55;
const saturation = 1.3;

/** What red, green and blue gain by the cosine and sine of the hue, at equal perceived brightness. */
const deviations = [
  [-0.14861, 1.78277],
  [-0.29227, -0.90649],
  [1.97294, 0],
] as const;

/**
 * A colour of the map: perceived brightness grows evenly from 0 (black) to 1 (white) while the hue turns, so that the order
 * of values can be seen, in grey too (Green 2011, A colour scheme for the display of astronomical intensity images).
 *
 * @param value 0 … 1
 * @returns red, green and blue, 0 … 255
 */
export function cubehelix(value: number): [red: number, green: number, blue: number] {
  const angle = 2 * Math.PI * (start / 3 + turns * value);
  const amplitude = (saturation * value * (1 - value)) / 2;
  const channel = ([cosine, sine]: readonly [number, number]) => {
    const level = value + amplitude * (cosine * Math.cos(angle) + sine * Math.sin(angle));
    return 255 * Math.min(Math.max(level, 0), 1);
  };
  return [channel(deviations[0]), channel(deviations[1]), channel(deviations[2])];
}

/**
 * Lays {@link cubehelix}'s colours over a picture, of which its luma (ITU-R BT.601) shows through.
 *
 * @param heat height · width numbers in rows, 0 … 1
 * @throws ArgumentError unless there is one for each pixel
 */
export function overlayHeatMap(picture: RgbImage, heat: Float32Array): RgbImage {
  checkRgbImage('picture', picture);
  const {width, height, data} = picture;
  if (heat.length !== width * height) {
    throw invalidArgument('heat.length', `${width} * ${height}, a number for each pixel`, heat.length);
  }
  const result = new Uint8Array(data.length);
  for (const [pixel, value] of heat.entries()) {
    const [red, green, blue] = [data[3 * pixel]!, data[3 * pixel + 1]!, data[3 * pixel + 2]!];
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    for (const [channel, colour] of cubehelix(value).entries()) {
      result[3 * pixel + channel] = Math.round(opacity * colour + (1 - opacity) * luma);
    }
  }
  return {width, height, data: result};
}
