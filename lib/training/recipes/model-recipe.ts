/**
 * Recipes of whole models: one kind of model each, with paths relative to the recipe.
 */
import {z} from 'zod';
import type {PathField} from '../../files/path-from.ts';
import {timestepBias} from '../batches/timestep-bias.ts';
import {modelTrainingSettings} from '../trainer-options.ts';
import {runFields} from './recipe-fields.ts';

/** A `config.json`, in the names of diffusers and transformers. */
const config = z.record(z.string(), z.unknown());

/** Fields of each kind's recipe, by the key that tells the kind. */
export function modelRecipeFields(path: PathField) {
  const common = {
    ...runFields,
    training: modelTrainingSettings,
    /** Folder for checkpoints, `metrics.jsonl` and `tensorboard`. */
    output: path,
  };
  /** Folder of the training set, of which targets and prompts count. */
  const dataset = path;
  return {
    /** Both towers; their vocabulary is that of `tokenizer`, a folder. */
    clip: z.strictObject({
      clip: z.strictObject({
        text: config,
        vision: config,
        tokenizer: path,
        /** Folder of both towers of the same configuration, to begin with; without it weights are drawn. */
        from: path.exactOptional(),
      }),
      dataset,
      ...common,
    }),
    autoencoder: z.strictObject({
      autoencoder: z.strictObject({
        config,
        klWeight: z.number().nonnegative().default(1e-6),
        /**
         * Folder of an autoencoder of the same configuration. Its decoder goes on; its encoder stays, so that latents mean what
         * they did to models that were trained on them.
         */
        from: path.exactOptional(),
      }),
      dataset,
      ...common,
    }),
    unet: z.strictObject({
      unet: z.strictObject({
        config,
        /** A diffusers folder with `vae`, `text_encoder`, `tokenizer` and `scheduler`, which says what is predicted. */
        model: path,
        /** Folder of a UNet of the same configuration, to begin with; without it weights are drawn. */
        from: path.exactOptional(),
        /** Share of samples that lose their prompt. */
        dropText: z.number().min(0).max(1).default(0.1),
        minSnrGamma: z.number().positive().exactOptional(),
        timestepBias: timestepBias.exactOptional(),
      }),
      dataset,
      /** Folder for what the autoencoder makes of pictures. */
      cache: path.exactOptional(),
      ...common,
    }),
    /** Its pictures are drawn as they are needed. */
    factorReader: z.strictObject({
      factorReader: z.strictObject({
        config: config.default({}),
        /** A diffusers folder with the `vae` that generated pictures come through. */
        model: path,
        /** Largest deviation of the noise that is added to pixels from -1 to 1. */
        noise: z.number().nonnegative().default(0.1),
      }),
      ...common,
    }),
  };
}

type Fields = ReturnType<typeof modelRecipeFields>;

/** Of the training of a whole model. */
export type ModelRecipe = {[Kind in keyof Fields]: z.output<Fields[Kind]>}[keyof Fields];
