import {DeviceError, FileError} from '../../lib/errors.ts';
import type {Generator} from '../../lib/jobs/generation-queue.ts';
import type {Job} from '../../lib/jobs/read-jobs.ts';
import type {GenerateOptions} from '../../lib/pipelines/generate-options.ts';

/** Paints pictures of one colour, that of the seed; a prompt may name an error. */
export class Painter implements Generator {
  readonly prompts: string[] = [];
  /** How many pictures each generation made. */
  readonly batches: number[] = [];
  onGenerate: (prompts: readonly string[], options: GenerateOptions) => void | Promise<void> = () => {};

  async generate(options: GenerateOptions) {
    const {prompt, seed, width = 8, height = 8, signal} = options;
    const prompts = [prompt].flat() as string[];
    await this.onGenerate(prompts, options);
    await new Promise(resolve => setTimeout(resolve, 2));
    signal?.throwIfAborted();
    if (prompts.includes('broken')) throw new FileError('broken: no picture.');
    if (prompts.includes('lost')) throw new DeviceError('lost: no device.');
    this.prompts.push(...prompts);
    this.batches.push(prompts.length);
    const images = ([seed].flat() as number[]).map(own => ({
      seed: own,
      image: {width, height, data: new Uint8Array(width * height * 3).fill(own % 256)},
      latents: {shape: [0], data: new Float32Array()},
    }));
    return {images, timings: {encodeSeconds: 0, denoiseSeconds: 0, decodeSeconds: 0, totalSeconds: 0}};
  }
}

/** A job for it. */
export function paintJob(
  id: string,
  options: {readonly prompt: string; readonly seed: number; readonly width?: number},
): Job {
  return {id, given: options, options};
}
