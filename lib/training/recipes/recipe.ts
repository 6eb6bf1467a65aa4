/**
 * Recipes: a training run as a YAML file, with paths relative to it.
 */
import {readFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {parseDocument} from 'yaml';
import {z} from 'zod';
import {ArgumentError, FileError} from '../../errors.ts';
import {type PathField, pathFrom} from '../../files/path-from.ts';
import {newAdapterKinds} from '../../pipelines/describe-new-adapter.ts';
import {trainerSettings} from '../trainer-options.ts';
import {adapterInitializations} from './initialize-adapter.ts';
import {type ModelRecipe, modelRecipeFields} from './model-recipe.ts';
import {runFields} from './recipe-fields.ts';

/** Random weights of the base and its encoders, to try and to measure. */
const randomModels = z.strictObject({random: z.enum(['tiny', 'sd15']), ...runFields});

/**
 * Fields of an adapter's recipe.
 *
 * @param isRandom whether its models have random weights: said beforehand, so that what is wrong is told of the right kind
 */
function adapterRecipeFields(path: PathField, isRandom: boolean) {
  /** As in `LoadOptions`. */
  const files = z.strictObject({
    model: path,
    imageEncoder: path,
    vae: path.exactOptional(),
    tokenizer: path.exactOptional(),
    instructionEncoder: path.exactOptional(),
    adapterHeads: z.int().positive().exactOptional(),
    ...runFields,
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

/** Of an adapter's training. */
export type Recipe = z.output<ReturnType<typeof adapterRecipeFields>>;

/** Whether a recipe is one for a whole model. */
export function trainsModel(recipe: Recipe | ModelRecipe): recipe is ModelRecipe {
  return !('adapter' in recipe);
}

/**
 * @throws FileError where the file cannot be read or is no YAML, ArgumentError that lists all that is wrong in it
 */
export async function readRecipe(path: string): Promise<Recipe | ModelRecipe> {
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
  const parsed = fieldsFor(values, pathFrom(dirname(path))).safeParse(values);
  if (parsed.success) return parsed.data;
  throw new ArgumentError(`${path}: not a recipe.\n${z.prettifyError(parsed.error)}`, {cause: parsed.error});
}

/** Those of the kind that the values are of: what is wrong is told of the right one. */
function fieldsFor(values: unknown, path: PathField): z.ZodType<Recipe | ModelRecipe> {
  const has = (key: string) => typeof values === 'object' && values !== null && key in values;
  const [, ofModel] = Object.entries(modelRecipeFields(path)).find(([kind]) => has(kind)) ?? [];
  return ofModel ?? adapterRecipeFields(path, hasRandomModels(values));
}

function hasRandomModels(values: unknown): boolean {
  const models = (values as {models?: unknown} | null)?.models;
  return typeof models === 'object' && models !== null && 'random' in models;
}
