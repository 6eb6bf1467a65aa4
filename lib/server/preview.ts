/**
 * What a picture will look like, while it is made.
 */
import type {RgbImage} from '../images/image.ts';
import {tensorToImage} from '../images/tensor-to-image.ts';
import {encodePng} from '../images/write-image.ts';
import type {AutoencoderKLConfig} from '../models/autoencoder-kl.ts';
import type {Autoencoder} from '../pipelines/components/autoencoder.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';

/**
 * A small PNG of latents [1, C, h, w] without noise: of Stable Diffusion's autoencoders in the size of the latents and
 * at no cost, of all others decoded.
 */
export async function previewPng(vae: Autoencoder, latents: HostTensor): Promise<Buffer> {
  return encodePng(isStableDiffusion(vae.config) ? linearPreview(latents) : await decode(vae, latents));
}

/** Whether latents are those of Stable Diffusion 1: autoencoders that were tuned further share them. */
function isStableDiffusion({latentChannels, scalingFactor, blockOutChannels}: AutoencoderKLConfig): boolean {
  return latentChannels === 4 && scalingFactor === 0.18215 && blockOutChannels.join() === '128,256,512,512';
}

/**
 * Red, green and blue of each latent channel, for colours from -1 to 1: a regression of pictures on their latents by
 * keturn, "Decoding latents to RGB without upscaling", discuss.huggingface.co/t/23204.
 */
const colours = [
  [0.298, 0.207, 0.208],
  [0.187, 0.286, 0.173],
  [-0.158, 0.189, 0.264],
  [-0.184, -0.271, -0.473],
] as const;

/** A pixel for each latent of [1, 4, h, w]. */
export function linearPreview({shape, data}: HostTensor): RgbImage {
  const [, , height, width] = shape as [number, number, number, number];
  const area = height * width;
  const planes = new Float32Array(3 * area);
  for (const [channel, factors] of colours.entries()) {
    for (const [colour, factor] of factors.entries()) {
      for (let pixel = 0; pixel < area; pixel++) {
        planes[colour * area + pixel]! += factor * data[channel * area + pixel]!;
      }
    }
  }
  return tensorToImage(planes, width, height);
}

async function decode(vae: Autoencoder, latents: HostTensor): Promise<RgbImage> {
  const {shape, data} = await vae.decode(latents);
  return tensorToImage(data, shape[3]!, shape[2]!);
}
