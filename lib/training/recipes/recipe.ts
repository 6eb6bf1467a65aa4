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
import {modelTrainingSettings, trainerSettings} from '../trainer-options.ts';
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

/** Fields of every recipe with a training set. */
function commonFields(path: PathField) {
  return {
    /** Its folder. */
    dataset: path,
    /** Folder for what frozen encoders make of pictures. */
    cache: path.exactOptional(),
    /** Folder for checkpoints, `metrics.jsonl`, `tensorboard` and `samples`. */
    output: path,
  };
}

/** @param isRandom whether its models have random weights: said beforehand, so that what is wrong is told of the right kind */
function adapterFields(path: PathField, isRandom: boolean) {
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
    /** Folder of a held-out set; without it nothing is validated. */
    validationSet: path.exactOptional(),
    training: trainerSettings,
    ...commonFields(path),
  });
}

/** A `config.json`, in the names of diffusers and transformers. */
const config = z.record(z.string(), z.unknown());

/** A whole model, of which there is one in a recipe. */
function modelFields(path: PathField) {
  return {
    /** Both towers; their vocabulary is that of `tokenizer`, a folder. */
    clip: z.strictObject({text: config, vision: config, tokenizer: path}),
    autoencoder: z.strictObject({config, klWeight: z.number().nonnegative().default(1e-6)}),
    unet: z.strictObject({
      config,
      /** A diffusers folder with `vae`, `text_encoder`, `tokenizer` and `scheduler`. */
      model: path,
      /** Share of samples that lose their prompt. */
      dropText: z.number().min(0).max(1).default(0.1),
      minSnrGamma: z.number().positive().exactOptional(),
    }),
  };
}

/** Of the factor reader, whose pictures are drawn as they are needed. */
function factorReaderFields(path: PathField) {
  return z.strictObject({
    factorReader: z.strictObject({
      config: config.default({}),
      /** A diffusers folder with the `vae` that generated pictures come through. */
      model: path,
      /** Largest deviation of the noise that is added to pixels from -1 to 1. */
      noise: z.number().nonnegative().default(0.1),
    }),
    ...run,
    training: modelTrainingSettings,
    output: path,
  });
}

const modelKinds = ['clip', 'autoencoder', 'unet'] as const;
type ModelKind = (typeof modelKinds)[number];

function modelRecipeFields<Kind extends ModelKind>(path: PathField, kind: Kind) {
  return z.strictObject({
    [kind]: modelFields(path)[kind],
    ...run,
    training: modelTrainingSettings,
    ...commonFields(path),
  } as {[K in Kind]: ReturnType<typeof modelFields>[K]} & typeof run &
    ReturnType<typeof commonFields> & {training: typeof modelTrainingSettings});
}

/** Of an adapter's training. */
export type Recipe = z.output<ReturnType<typeof adapterFields>>;

/** Of the training of a whole model. */
export type ModelRecipe =
  | {[Kind in ModelKind]: z.output<ReturnType<typeof modelRecipeFields<Kind>>>}[ModelKind]
  | z.output<ReturnType<typeof factorReaderFields>>;

/** A path, which is taken to be relative to a folder. */
type PathField = ReturnType<typeof pathFrom>;

function pathFrom(folder: string) {
  return z
    .string()
    .min(1)
    .transform(name => resolve(folder, name));
}

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
  const keys = typeof values === 'object' && values !== null ? Object.keys(values) : [];
  if (keys.includes('factorReader')) {
    return factorReaderFields(path) as unknown as z.ZodType<Recipe | ModelRecipe>;
  }
  const kind = modelKinds.find(name => keys.includes(name));
  const fields =
    kind === undefined ? adapterFields(path, hasRandomModels(values)) : modelRecipeFields(path, kind);
  return fields as z.ZodType<Recipe | ModelRecipe>;
}

function hasRandomModels(values: unknown): boolean {
  const models = (values as {models?: unknown} | null)?.models;
  return typeof models === 'object' && models !== null && 'random' in models;
}
