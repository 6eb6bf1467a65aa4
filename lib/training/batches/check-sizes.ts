import {ArgumentError} from '../../errors.ts';
import type {UNetConfig} from '../../models/unet-config.ts';
import type {Autoencoder} from '../../pipelines/components/autoencoder.ts';
import type {PictureSettings} from './adapter-samples.ts';

interface CheckedModels {
  readonly vae: Pick<Autoencoder, 'scaleFactor'>;
  readonly denoiser: {readonly config: Pick<UNetConfig, 'blockOutChannels'>};
}

/**
 * Training halves pictures in the VAE, then latents in the UNet, and its gradients take whole halves alone: for Stable
 * Diffusion 1.5 sides are multiples of 64.
 *
 * @throws ArgumentError for buckets of other sizes
 */
export function checkSizes(
  {vae, denoiser}: CheckedModels,
  {buckets}: Pick<PictureSettings, 'buckets'>,
): void {
  const multiple = vae.scaleFactor * 2 ** (denoiser.config.blockOutChannels.length - 1);
  const bad = buckets.find(([width, height]) => width % multiple !== 0 || height % multiple !== 0);
  if (bad === undefined) return;
  throw new ArgumentError(
    `resolution, buckets: expected sides in multiples of ${multiple}, got ${bad.join(' x ')}.`,
  );
}
