import {ArgumentError} from '../errors.ts';
import {checkRgbImage, type RgbImage} from './image.ts';
import {resizeLikePil} from './pil-resize.ts';
import {toPlanes} from './to-planes.ts';

/** Sides of pictures are multiples of it, whatever the autoencoder: those of Stable Diffusion halve pictures three times. */
const sideMultiple = 8;

/**
 * The picture to start from in image to image and inpainting, as the VAE's encoder takes it: float32 `[1, 3, height,
 * width]` from -1 to 1. Equal to diffusers' `VaeImageProcessor`: resized to exactly that size with PIL's lanczos,
 * then 2 * (value / 255) - 1 in float32.
 *
 * @throws ArgumentError if a side is not a multiple of 8
 */
export async function imageToTensor(image: RgbImage, width: number, height: number): Promise<Float32Array> {
  return toSigned(await resizeForLatents(image, width, height));
}

/**
 * As `imageToTensor`, with the picture's proportions kept: it is resized to cover the size, and its centre is cut out.
 *
 * @throws ArgumentError if a side is not a multiple of 8
 */
export async function coverToTensor(image: RgbImage, width: number, height: number): Promise<Float32Array> {
  checkRgbImage('image', image);
  checkLatentSize(width, height);
  const scale = Math.max(width / image.width, height / image.height);
  // The side that fits exactly may come to a hair less.
  const covering = {
    width: Math.max(Math.round(image.width * scale), width),
    height: Math.max(Math.round(image.height * scale), height),
  };
  const center = {
    left: Math.floor((covering.width - width) / 2),
    top: Math.floor((covering.height - height) / 2),
    width,
    height,
  };
  return toSigned(await resizeLikePil(image, covering, 'lanczos', center));
}

/**
 * The condition image of a ControlNet: float32 `[1, 3, height, width]` from 0 to 1, resized as `imageToTensor` does.
 * Equal to diffusers' `control_image_processor`.
 *
 * @throws ArgumentError if a side is not a multiple of 8
 */
export async function conditionToTensor(
  image: RgbImage,
  width: number,
  height: number,
): Promise<Float32Array> {
  const resized = await resizeForLatents(image, width, height);
  return toPlanes(resized, value => value / 255);
}

/**
 * An inpainting mask in pixels: float32 `[1, 1, height, width]`, 1 where the picture is to be painted anew (white) and 0
 * where it is kept (black). Equal to diffusers' `mask_processor`: its luma, binarised at 0.5.
 *
 * @throws ArgumentError if a side is not a multiple of 8
 */
export async function maskToTensor(mask: RgbImage, width: number, height: number): Promise<Float32Array> {
  const luma = await lumaPlane(mask, width, height);
  return luma.map(value => (value >= 0.5 ? 1 : 0));
}

/**
 * A picture's luma, 0 … 1, height · width numbers in rows: resized as the picture is, then PIL's `convert('L')` (ITU-R
 * BT.601 in 16-bit fixed point).
 *
 * @throws ArgumentError if a side is not a multiple of 8
 */
export async function lumaPlane(image: RgbImage, width: number, height: number): Promise<Float32Array> {
  const {data} = await resizeForLatents(image, width, height);
  return Float32Array.from({length: width * height}, (_, pixel) => {
    const [red, green, blue] = [data[pixel * 3]!, data[pixel * 3 + 1]!, data[pixel * 3 + 2]!];
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) / 255;
  });
}

/**
 * Brings the mask of `maskToTensor` to the size of the latents: float32 `[1, 1, height / scaleFactor, width / scaleFactor]`,
 * the upper left pixel of each square, as `torch.nn.functional.interpolate` chooses in diffusers' `prepare_mask_latents`.
 *
 * @param scaleFactor pixels a latent along one side
 */
export function maskToLatentSize(
  mask: Float32Array,
  width: number,
  height: number,
  scaleFactor: number,
): Float32Array {
  const columns = width / scaleFactor;
  return Float32Array.from({length: columns * (height / scaleFactor)}, (_, index) => {
    const row = Math.floor(index / columns);
    return mask[(row * width + (index % columns)) * scaleFactor]!;
  });
}

/** Throws an ArgumentError, which names the nearest sizes that work, unless both sides are positive multiples of 8. */
export function checkLatentSize(width: number, height: number): void {
  for (const [name, value] of Object.entries({width, height})) {
    if (Number.isInteger(value) && value > 0 && value % sideMultiple === 0) continue;
    const below = Math.floor(value / sideMultiple) * sideMultiple;
    const nearest = below > 0 ? `${below} or ${below + sideMultiple}` : `${sideMultiple}`;
    const advice = Number.isFinite(value) ? ` The nearest that work: ${nearest}.` : ' Give for instance 512.';
    throw new ArgumentError(
      `${name}: expected a positive multiple of ${sideMultiple} but received ${value}.${advice}`,
    );
  }
}

/** From -1 to 1. */
function toSigned(image: RgbImage): Float32Array {
  return toPlanes(image, value => 2 * Math.fround(value / 255) - 1);
}

function resizeForLatents(image: RgbImage, width: number, height: number): Promise<RgbImage> {
  checkRgbImage('image', image);
  checkLatentSize(width, height);
  return resizeLikePil(image, {width, height}, 'lanczos');
}
