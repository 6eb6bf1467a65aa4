import {ArgumentError} from '../../errors.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
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
  const sizes = buckets ?? [[resolution, resolution]];
  const bad = sizes.find(([width, height]) => width % multiple !== 0 || height % multiple !== 0);
  if (bad === undefined) return;
  const name = buckets === undefined ? 'resolution' : 'buckets';
  throw new ArgumentError(`${name}: expected sides in multiples of ${multiple}, got ${bad.join(' x ')}.`);
}
