import {readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {unreadable} from './read-file.ts';
import {openShardedWeights} from './sharded-weights.ts';
import type {WeightIndex} from './stored-tensor.ts';
import {openWeightFile} from './weight-file.ts';

/** What diffusers and transformers call the weights of a component, in the order in which we prefer them. */
export const componentFiles: readonly string[] = [
  'diffusion_pytorch_model.safetensors',
  'model.safetensors',
  'diffusion_pytorch_model.safetensors.index.json',
  'model.safetensors.index.json',
  'diffusion_pytorch_model.fp16.safetensors',
  'model.fp16.safetensors',
  'diffusion_pytorch_model.bin',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
  'diffusion_pytorch_model.fp16.bin',
  'pytorch_model.fp16.bin',
];

/**
 * Finds the weights at a path and reads what they hold, without loading them. The path is a weight file, the
 * index of a sharded model, or the folder of a diffusers or transformers component.
 * @throws FileError where there is nothing, or what there is is damaged.
 */
export async function openWeights(path: string): Promise<WeightIndex> {
  const stats = await stat(path).catch((error: Error) => {
    throw unreadable(path, error);
  });
  const file = stats.isDirectory() ? join(path, await findComponentFile(path)) : path;
  return file.endsWith('.index.json') ? openShardedWeights(file) : openWeightFile(file);
}

async function findComponentFile(folder: string): Promise<string> {
  const present = new Set(await readdir(folder));
  const found = componentFiles.find(name => present.has(name));
  if (found) return found;
  throw new FileError(
    `${folder}: expected one of ${componentFiles.join(', ')}; got ${describeNames(present)}. ` +
      'Check the path, or give the weight file itself.',
  );
}

function describeNames(names: ReadonlySet<string>): string {
  if (names.size === 0) return 'an empty folder';
  const shown = [...names].slice(0, 10).join(', ');
  return names.size > 10 ? `${shown} and ${names.size - 10} more` : shown;
}
