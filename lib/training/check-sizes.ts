import {ArgumentError} from '../errors.ts';
import type {PipelineModels} from '../pipelines/pipeline-models.ts';
import type {PictureSettings} from './prepare-pictures.ts';

/**
 * Training halves pictures in the VAE, then latents in the UNet, and its gradients take whole halves alone: for Stable
 * Diffusion 1.5 sides are multiples of 64.
 *
 * @throws ArgumentError for a resolution or buckets of other sizes
 */
export function checkSizes(
  {vae, denoiser}: PipelineModels,
  {resolution, buckets}: Pick<PictureSettings, 'resolution' | 'buckets'>,
): void {
  const multiple = vae.scaleFactor * 2 ** (denoiser.config.blockOutChannels.length - 1);
  const isSide = (side: number) => Number.isInteger(side) && side > 0 && side % multiple === 0;
  const sizes = buckets ?? [[resolution, resolution]];
  const bad = sizes.find(size => !size.every(isSide));
  if (sizes.length > 0 && bad === undefined) return;
  throw new ArgumentError(
    `${buckets === undefined ? 'resolution' : 'buckets'}: expected sides in multiples of ${multiple}, got ` +
      `${bad?.join(' x ') ?? 'no size'}.`,
  );
}
