/**
 * Where a batch begins: noisy latents, the first step, and what inpainting reads or keeps.
 */

import type {RunOptions} from '../engine/compiled-function.ts';
import {ArgumentError} from '../errors.ts';
import {beginIndex, type Scheduler} from '../schedulers/scheduler.ts';
import type {TorchGenerator} from '../schedulers/torch-generator.ts';
import type {KeptPicture} from './denoise.ts';
import type {GenerateOptions} from './generate-options.ts';
import {type HostTensor, joinChannels, stackRows} from './host-tensor.ts';
import {type LatentSize, latentShape, prepareStart, type Start, splitLatents} from './initial-latents.ts';
import type {PipelineModels} from './pipeline-models.ts';
import type {Sample} from './samples.ts';

export interface BatchStart {
  /** [samples, C, h, w] */
  readonly latents: HostTensor;
  /** Index of the first step in the scheduler's timesteps. */
  readonly beginStep: number;
  readonly extraChannels?: HostTensor | undefined;
  readonly kept?: KeptPicture | undefined;
}

export async function prepareBatchStart(
  models: PipelineModels,
  options: GenerateOptions,
  samples: readonly Sample[],
  generators: readonly TorchGenerator[],
  size: LatentSize,
  scheduler: Scheduler,
): Promise<BatchStart> {
  const {vae, denoiser} = models;
  expectAllOrNone('image', samples);
  expectAllOrNone('maskImage', samples);
  const readsMask = denoiser.config.inChannels > size.channels;
  if (readsMask && samples[0]!.maskImage === undefined) {
    throw new ArgumentError('maskImage: expected one, as this model is an inpainting checkpoint.');
  }
  const shape = latentShape(size, vae.scaleFactor);
  const given = options.latents && splitLatents(options.latents, shape, samples.length);
  const run: RunOptions & {size: LatentSize} = {signal: options.signal, profile: options.profile, size};
  const starts: Start[] = [];
  for (const [index, sample] of samples.entries()) {
    const generator = generators[index]!;
    starts.push(
      await prepareStart(vae, sample, generator, given?.[index], readsMask, {
        ...run,
        background: options.background,
      }),
    );
  }
  return assemble(starts, shape, scheduler, options, readsMask);
}

function assemble(
  starts: readonly Start[],
  shape: readonly number[],
  scheduler: Scheduler,
  options: GenerateOptions,
  readsMask: boolean,
): BatchStart {
  const batch = (part: keyof Start, channels: number): HostTensor | undefined => {
    const parts = starts.map(start => start[part]);
    if (parts.some(data => data === undefined)) return undefined;
    return stackRows(parts.map(data => ({shape: shape.with(1, channels), data: data!})));
  };
  const channels = shape[1]!;
  const noise = batch('noise', channels)!;
  const imageLatents = batch('imageLatents', channels);
  const mask = batch('mask', 1);
  const strength = options.strength ?? (mask === undefined ? 0.8 : 1);
  if (imageLatents === undefined) return {latents: scaled(noise, scheduler.initNoiseSigma), beginStep: 0};

  const beginStep = beginIndex(scheduler, strength);
  // Diffusers starts inpainting at full strength from pure noise, image to image from the noised picture.
  const latents =
    mask !== undefined && strength === 1
      ? scaled(noise, scheduler.initNoiseSigma)
      : {shape: noise.shape, data: scheduler.addNoise(imageLatents.data, noise.data, beginStep)};
  if (mask === undefined) return {latents, beginStep};
  if (!readsMask) return {latents, beginStep, kept: {imageLatents, noise, mask}};
  const masked = batch('maskedImageLatents', channels)!;
  return {latents, beginStep, extraChannels: joinChannels(mask, masked)};
}

function scaled({shape, data}: HostTensor, factor: number): HostTensor {
  return {shape, data: data.map(value => value * factor)};
}

function expectAllOrNone(name: 'image' | 'maskImage', samples: readonly Sample[]): void {
  const given = samples.filter(sample => sample[name] !== undefined).length;
  if (given !== 0 && given !== samples.length) {
    throw new ArgumentError(
      `${name}: expected one for each of ${samples.length} samples or none, but received ${given}.`,
    );
  }
}
