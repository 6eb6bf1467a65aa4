/**
 * Recipes: a training run as a YAML file, with paths relative to it.
 */
import {readFile} from 'node:fs/promises';
import {dirname, resolve} from 'node:path';
import {parseDocument} from 'yaml';
import {z} from 'zod';
import {ArgumentError, FileError} from '../../errors.ts';
import {newAdapterKinds} from '../../pipelines/describe-new-adapter.ts';
import type {DeviceSpec} from '../../runtime/device.ts';
import {trainerSettings} from '../trainer-options.ts';
import {adapterInitializations} from './initialize-adapter.ts';

const run = {
  device: z
    .string()
    .transform(name => name as DeviceSpec)
    .exactOptional(),
  /** Of products and activations; trained weights are float32. */
  dtype: z.enum(['float32', 'bfloat16', 'float16']).default('bfloat16'),
};

/** Random weights of the base and its encoders, to try and to measure. */
const randomModels = z.strictObject({random: z.enum(['tiny', 'sd15']), ...run});

/**
 * Fields of a recipe.
 *
 * @param folder that paths are relative to
 * @param isRandom whether its models have random weights: said beforehand, so that what is wrong is told of the right kind
 */
function recipeFields(folder: string, isRandom: boolean) {
  const path = z
    .string()
    .min(1)
    .transform(name => resolve(folder, name));
  /** As in `LoadOptions`. */
  const files = z.strictObject({
    model: path,
    imageEncoder: path,
    vae: path.exactOptional(),
    tokenizer: path.exactOptional(),
    instructionEncoder: path.exactOptional(),
    adapterHeads: z.int().positive().exactOptional(),
    ...run,
  });
  return z.strictObject({
    /** The frozen base and its encoders. */
    models: isRandom ? randomModels : files,
    adapter: z.strictObject({
      kind: z.enum(newAdapterKinds),
      from: path.exactOptional(),
      initialization: z.enum(adapterInitializations).exactOptional(),
    }),
    /** Folder of the training set. */
    dataset: path,
    /** Folder of a held-out set; without it nothing is validated. */
    validationSet: path.exactOptional(),
    training: trainerSettings,
    /** Folder for what frozen encoders make of pictures. */
    cache: path.exactOptional(),
    /** Folder for checkpoints, `metrics.jsonl`, `tensorboard` and `samples`. */
    output: path,
  });
}

export type Recipe = z.output<ReturnType<typeof recipeFields>>;

/**
 * @throws FileError where the file cannot be read or is no YAML, ArgumentError that lists all that is wrong in it
 */
export async function readRecipe(path: string): Promise<Recipe> {
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FileError(`${path}: expected a recipe, got ${cause.code ?? cause.message}. Check the path.`, {
      cause,
    });
  });
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined)
    throw new FileError(`${path}: expected YAML: ${problem.message}`, {cause: problem});
  const values: unknown = document.toJS();
  const parsed = recipeFields(dirname(path), hasRandomModels(values)).safeParse(values);
  if (parsed.success) return parsed.data;
  throw new ArgumentError(`${path}: not a recipe.\n${z.prettifyError(parsed.error)}`, {cause: parsed.error});
}

function hasRandomModels(values: unknown): boolean {
  const models = (values as {models?: unknown} | null)?.models;
  return typeof models === 'object' && models !== null && 'random' in models;
}
