import type {ExecutionContext} from 'ava';
import {writeWorldDataset} from '../../lib/datasets/world/write-world.ts';
import type {EvaluateOptions} from '../../lib/evaluation/evaluate-options.ts';
import {inReference} from './reference-paths.ts';
import {tempFolder} from './temp-folder.ts';

/** Files of the tiny model's adapters. */
export const adapterFiles = {
  instruct: inReference('ip-adapter-instruct.safetensors'),
  plus: inReference('ip-adapter-plus.safetensors'),
};

/** A drawn set with its factors: samples of the five tasks in turn. */
export async function drawnSet(t: ExecutionContext, count = 10): Promise<string> {
  const folder = await tempFolder(t);
  await writeWorldDataset(folder, {count, size: 32, seed: 3, split: 'test'});
  return folder;
}

/** Two adapters of the tiny model on a drawn set, in seconds. */
export async function evaluationOf(
  t: ExecutionContext,
  changes: Partial<EvaluateOptions> = {},
): Promise<EvaluateOptions> {
  return {
    model: {model: inReference('model'), imageEncoder: inReference('image_encoder'), adapterHeads: 2},
    adapters: [
      {label: 'joint', file: adapterFiles.instruct},
      {label: 'plus', file: adapterFiles.plus},
    ],
    dataset: changes.dataset ?? (await drawnSet(t)),
    folder: await tempFolder(t),
    clip: {imageEncoder: inReference('image_encoder'), textEncoder: inReference('instruction_encoder')},
    samplesPerTask: 2,
    batchSize: 3,
    generation: {numInferenceSteps: 2},
    rewording: {samplesPerTask: 0, wordings: 2, seeds: 2},
    instructionsPerTask: 0,
    command: 'a script',
    ...changes,
  };
}
