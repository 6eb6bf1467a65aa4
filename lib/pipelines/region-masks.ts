import type {Color} from '../images/color.ts';
import {decodeImage, type ImageInput} from '../images/decode-image.ts';
import {lumaPlane} from '../images/latent-image.ts';
import {resizeBicubic, type Size} from '../images/resize-plane.ts';
import type {HostTensor} from './host-tensor.ts';
import type {LatentSize} from './initial-latents.ts';

/**
 * A mask at the size of each level of a UNet, as diffusers' `IPAdapterMaskProcessor` makes them, but not binarised.
 *
 * @param scaleFactor pixels a latent along one side
 * @param levels of the UNet, each half as high and wide as that before it
 * @returns float32 [1, pixels]
 */
export async function regionMasks(
  mask: ImageInput,
  {width, height}: LatentSize,
  scaleFactor: number,
  levels: number,
  background: Color | undefined,
): Promise<HostTensor[]> {
  const picture = await decodeImage(mask, {name: 'mask', ...(background !== undefined && {background})});
  const plane = await lumaPlane(picture, width, height);
  const latents = {width: width / scaleFactor, height: height / scaleFactor};
  return levelSizes(latents, levels).map(level => ({
    shape: [1, level.width * level.height],
    data: resizeBicubic(plane, {width, height}, level),
  }));
}

/** Sizes of a UNet's levels, each once. */
export function levelSizes(latents: Size, levels: number): Size[] {
  const sizes = [latents];
  while (sizes.length < levels) {
    const {width, height} = sizes.at(-1)!;
    if (width * height === 1) break;
    sizes.push({width: Math.ceil(width / 2), height: Math.ceil(height / 2)});
  }
  return sizes;
}
