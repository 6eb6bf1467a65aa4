import type {PreparedPicture} from './prepare-pictures.ts';

/**
 * The size of a target's latents, whether they are in the cache or still to be made.
 *
 * @param scaleFactor pixels a latent along one side
 */
export function latentSize(target: PreparedPicture, scaleFactor: number): string {
  const [height, width] =
    'encoded' in target
      ? target.encoded.get('mean')!.shape.slice(2)
      : target.pixels.shape.slice(2).map(side => side / scaleFactor);
  return `${width}x${height}`;
}
