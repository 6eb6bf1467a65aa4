/**
 * A diffusers folder from the parts that were trained: `text_encoder`, `tokenizer`, `image_encoder`, `vae`, `unet`,
 * `scheduler`.
 */
import {copyFile, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {readAs, type WrittenDType} from '../../pipelines/convert-dtype.ts';
import {readJson} from '../../pipelines/read-json.ts';
import {createScheduler, stableDiffusion1SchedulerConfig} from '../../schedulers/create-scheduler.ts';
import type {SchedulerConfig} from '../../schedulers/scheduler-config.ts';
import {readTokenizerFiles} from '../../tokenizer/tokenizer-files.ts';
import {writeTokenizerFiles} from '../../tokenizer/write-tokenizer-files.ts';
import {canonicalTextEncoderTensors, canonicalVisionEncoderTensors} from '../../weights/component-names.ts';
import {openWeights} from '../../weights/open-weights.ts';
import type {TensorMap} from '../../weights/stored-tensor.ts';
import {type TensorData, writeSafetensors} from '../../weights/write-safetensors.ts';

/** Folders of checkpoints, or of their averages. What is left out stays as it is in the folder. */
export interface ModelParts {
  readonly clip?: string | undefined;
  readonly autoencoder?: string | undefined;
  readonly unet?: string | undefined;
}

export interface AssembleOptions {
  /** Default: as they are. */
  readonly dtype?: WrittenDType | undefined;
  /** Of the autoencoder's latents, in place of its configuration's. */
  readonly scalingFactor?: number | undefined;
  /** The noise that the UNet is trained with, and what it predicts of it. Default: Stable Diffusion 1's. */
  readonly scheduler?: SchedulerConfig | undefined;
}

/**
 * @throws FileError, WeightsError where a part is missing or damaged, or the folder cannot be written; ArgumentError for a
 *   scheduler that {@link createScheduler} does not know
 */
export async function assembleModel(
  folder: string,
  {clip, autoencoder, unet}: ModelParts,
  {dtype, scalingFactor, scheduler = stableDiffusion1SchedulerConfig}: AssembleOptions = {},
): Promise<void> {
  createScheduler(scheduler);
  const write = async (part: string, files: ComponentFiles) =>
    writeComponent(join(folder, part), files, dtype);
  if (clip !== undefined) await writeClip(folder, clip, write);
  if (autoencoder !== undefined) {
    const {tensors} = await openWeights(autoencoder);
    const config = {
      ...(await readConfig(autoencoder)),
      ...(scalingFactor && {scaling_factor: scalingFactor}),
    };
    await write('vae', {config, tensors, weights: diffusersWeights});
  }
  if (unet !== undefined) {
    const {tensors} = await openWeights(unet);
    await write('unet', {config: await readConfig(unet), tensors, weights: diffusersWeights});
  }
  await mkdir(join(folder, 'scheduler'), {recursive: true});
  await writeJson(join(folder, 'scheduler', 'scheduler_config.json'), scheduler);
  await writeJson(join(folder, 'model_index.json'), {
    ...modelIndex,
    scheduler: ['diffusers', scheduler['_class_name']],
  });
}

const diffusersWeights = 'diffusion_pytorch_model.safetensors';

const modelIndex = {
  _class_name: 'StableDiffusionPipeline',
  feature_extractor: [null, null],
  safety_checker: [null, null],
  text_encoder: ['transformers', 'CLIPTextModel'],
  tokenizer: ['transformers', 'CLIPTokenizer'],
  unet: ['diffusers', 'UNet2DConditionModel'],
  vae: ['diffusers', 'AutoencoderKL'],
};

type Config = Readonly<Record<string, unknown>>;

interface ComponentFiles {
  readonly config: Config;
  readonly tensors: TensorMap;
  /** Name of the file. */
  readonly weights: string;
}

/** The text tower without its projection, as Stable Diffusion has it; the image tower with it, as IP-Adapter has. */
async function writeClip(
  folder: string,
  clip: string,
  write: (part: string, files: ComponentFiles) => Promise<void>,
): Promise<void> {
  const {tensors} = await openWeights(clip);
  const {text_config, vision_config, projection_dim} = await readConfig(clip);
  const weights = 'model.safetensors';
  await write('text_encoder', {
    config: {...(text_config as Config), projection_dim, architectures: ['CLIPTextModel']},
    tensors: canonicalTextEncoderTensors(tensors, {withProjection: false}),
    weights,
  });
  await write('image_encoder', {
    config: {...(vision_config as Config), projection_dim, architectures: ['CLIPVisionModelWithProjection']},
    tensors: canonicalVisionEncoderTensors(tensors),
    weights,
  });
  const preprocessor = 'preprocessor_config.json';
  await copyFile(join(clip, preprocessor), join(folder, 'image_encoder', preprocessor));
  await mkdir(join(folder, 'tokenizer'), {recursive: true});
  await writeTokenizerFiles(join(folder, 'tokenizer'), await readTokenizerFiles(clip));
}

async function writeComponent(
  folder: string,
  {config, tensors, weights}: ComponentFiles,
  dtype: WrittenDType | undefined,
): Promise<void> {
  const written = new Map<string, TensorData>();
  for (const [name, tensor] of tensors) written.set(name, await readAs(tensor, dtype));
  await mkdir(folder, {recursive: true});
  await writeJson(join(folder, 'config.json'), config);
  await writeSafetensors(join(folder, weights), written);
}

async function readConfig(folder: string): Promise<Config> {
  return (await readJson(join(folder, 'config.json'))) as Config;
}

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
