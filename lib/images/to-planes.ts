import type {RgbImage} from './image.ts';

/**
 * Channels last to channels first, as float32 `[1, 3, height, width]`. `convert` is called once for each channel (0 red,
 * 1 green, 2 blue) and each of the 256 values that a sample can have.
 */
export function toPlanes(
  {width, height, data}: RgbImage,
  convert: (value: number, channel: number) => number,
): Float32Array {
  const pixels = width * height;
  const result = new Float32Array(3 * pixels);
  const converted = new Float32Array(256);
  for (let channel = 0; channel < 3; channel++) {
    // Not `Float32Array.from`: for a small picture its callbacks would take longer than the pixels.
    for (let value = 0; value < 256; value++) converted[value] = convert(value, channel);
    for (let pixel = 0; pixel < pixels; pixel++) {
      result[channel * pixels + pixel] = converted[data[pixel * 3 + channel]!]!;
    }
  }
  return result;
}
