import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {LoadOptions} from '../../lib/pipelines/load-options.ts';

/** Folder of the reference cases: a whole tiny model with random weights. */
export const referenceFolder = fileURLToPath(new URL('../fixtures/reference', import.meta.url));

export function inReference(...parts: string[]): string {
  return join(referenceFolder, ...parts);
}

/** The tiny model with its instruct adapter. */
export const instructModel: LoadOptions = {
  model: inReference('model'),
  adapter: inReference('ip-adapter-instruct.safetensors'),
  imageEncoder: inReference('image_encoder'),
  adapterHeads: 2,
};

export const conditionImage = inReference('condition.png');
