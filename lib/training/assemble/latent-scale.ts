/**
 * The factor that brings an autoencoder's latents to unit variance (Rombach et al. 2022, appendix G), which a diffusion model's
 * noise is made for.
 */
import type {Dataset} from '../../datasets/dataset.ts';
import {FileError} from '../../errors.ts';
import type {Autoencoder} from '../../pipelines/components/autoencoder.ts';
import {TorchGenerator} from '../../schedulers/torch-generator.ts';
import {preparedPixels, preparePicture} from '../batches/prepare-pictures.ts';

/** Pictures that are looked at. */
const sampleSize = 500;

/**
 * 1 / standard deviation, of latents drawn from the posteriors of a training set's targets, evenly spread over the set.
 *
 * @param side of the pictures, in pixels
 * @throws FileError where a picture cannot be read
 */
export async function latentScale(vae: Autoencoder, {samples}: Dataset, side: number): Promise<number> {
  const generator = new TorchGenerator(0);
  const stride = Math.max(1, Math.floor(samples.length / sampleSize));
  let [count, sum, squares] = [0, 0, 0];
  for (let index = 0; index < samples.length && index < stride * sampleSize; index += stride) {
    const {target, place} = samples[index]!;
    const picture = await preparePicture({picture: target, form: {buckets: [[side, side]]}});
    if ('reason' in picture) throw new FileError(`${place}: ${picture.reason}`);
    const {mean, standardDeviation} = await vae.encode(preparedPixels(picture));
    const noise = generator.randn(mean.shape);
    for (const [i, center] of mean.data.entries()) {
      const latent = center + standardDeviation.data[i]! * noise[i]!;
      sum += latent;
      squares += latent * latent;
      count++;
    }
  }
  const average = sum / count;
  return vae.config.scalingFactor / Math.sqrt(squares / count - average * average);
}
