import {NumericError, ShapeError} from '../errors.ts';
import type {RgbImage} from './image.ts';

/**
 * The VAE decoder's output to a picture: float32 `[3, height, width]`, nominally from -1 to 1, to 8-bit RGB. Equal to
 * diffusers' `VaeImageProcessor.postprocess`: clamp(x * 0.5 + 0.5, 0, 1) * 255 in float32, halves to the even integer.
 *
 * @throws ShapeError if the tensor has another number of elements
 * @throws NumericError if an element is NaN (a picture would only show it as black)
 */
export function tensorToImage(tensor: Float32Array, width: number, height: number): RgbImage {
  const pixels = width * height;
  if (tensor.length !== 3 * pixels) {
    throw new ShapeError(
      `tensorToImage: expected 3 * ${height} * ${width} = ${3 * pixels} elements but received ${tensor.length}. ` +
        'Give one picture, channels first.',
    );
  }
  // Rounds as is wanted, halves to the even integer, and clamps.
  const data = new Uint8ClampedArray(3 * pixels);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < pixels; pixel++) {
      const value = tensor[channel * pixels + pixel]!;
      if (Number.isNaN(value)) {
        throw new NumericError(
          `tensorToImage: expected numbers but pixel ${pixel} of channel ${channel} is NaN. ` +
            'Decode with a float32 VAE.',
        );
      }
      data[pixel * 3 + channel] = Math.fround(Math.fround(Math.fround(value * 0.5) + 0.5) * 255);
    }
  }
  return {width, height, data: new Uint8Array(data.buffer)};
}
