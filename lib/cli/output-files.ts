/**
 * Where results go. Whatever is wrong with a path is found before the long work.
 */
import {access, constants, stat} from 'node:fs/promises';
import {dirname, extname} from 'node:path';
import {ArgumentError, FileError} from '../errors.ts';
import {checkImagePath} from '../images/write-image.ts';
import type {GeneratedImage} from '../pipelines/generate.ts';
import {stackRows} from '../pipelines/host-tensor.ts';
import {writeSafetensors} from '../weights/write-safetensors.ts';

export type OutputType = 'png' | 'latent';

/**
 * @throws ArgumentError for an ending that does not fit, FileError for a folder that is missing or may not be written to
 */
export async function checkOutputPath(path: string, type: OutputType): Promise<void> {
  if (type === 'png') checkImagePath(path);
  else if (extname(path) !== '.safetensors') {
    throw new ArgumentError(
      `output '${path}': expected a path that ends in .safetensors, for latents. Choose such a path.`,
    );
  }
  await checkWritable(path);
}

/** @throws FileError where no file can be written at `path` */
export async function checkWritable(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new FileError(
      `output '${path}': expected a folder to write to, but '${folder}' ` +
        `${missing ? 'does not exist. Make it, or choose another.' : 'may not be written to. Choose another.'}`,
      {cause},
    );
  }
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) {
    throw new FileError(
      `output '${path}': expected the path of a file, but it is a folder. Give a file in it.`,
    );
  }
}

/** Writes the latents of all samples as one tensor, `latents` [samples, C, h, w]. */
export async function writeLatents(path: string, images: readonly GeneratedImage[]): Promise<string[]> {
  const latents = stackRows(images.map(image => image.latents));
  await writeSafetensors(path, new Map([['latents', {...latents, dtype: 'float32'}]]));
  return [path];
}
