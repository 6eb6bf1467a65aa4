/**
 * A pipeline's models from files, diffusers folders or whole checkpoints.
 */
import {join} from 'node:path';
import {invalidArgument, WeightsError} from '../errors.ts';
import {describeAutoencoderKLWeights, parseAutoencoderKLConfig} from '../models/autoencoder-kl.ts';
import {describeControlNetWeights} from '../models/controlnet.ts';
import {parseControlNetConfig} from '../models/controlnet-config.ts';
import {describeUNetWeights} from '../models/unet.ts';
import {parseUNetConfig} from '../models/unet-config.ts';
import {stableDiffusion1SchedulerConfig} from '../schedulers/create-scheduler.ts';
import {parseSchedulerConfig, type SchedulerConfig} from '../schedulers/scheduler-config.ts';
import {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';
import {canonicalTextEncoderTensors, canonicalVaeTensors} from '../weights/component-names.ts';
import {openWeights} from '../weights/open-weights.ts';
import {splitSingleFile} from '../weights/single-file.ts';
import {inferVaeConfig} from '../weights/single-file-config.ts';
import {clipTokenizerFolder} from './clip-vocabulary.ts';
import {componentPart, isFile, type Part, weightsOf} from './component-part.ts';
import {componentSettings} from './component-settings.ts';
import {Autoencoder} from './components/autoencoder.ts';
import type {ComponentSettings} from './components/component.ts';
import {ControlNet} from './components/control-net.ts';
import {Denoiser} from './components/denoiser.ts';
import type {TextEncoder} from './components/text-encoder.ts';
import {loadAdapters} from './load-adapter.ts';
import {loadTextEncoder} from './load-encoders.ts';
import type {LoadOptions} from './load-options.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {readText} from './read-json.ts';

interface BaseParts extends FrozenParts {
  readonly unet: Part;
}

/** Of the models that stay as they are where a UNet is trained. */
interface FrozenParts {
  readonly vae: Part;
  readonly textEncoder: Part;
  readonly tokenizerFolder: string;
  readonly schedulerConfig: SchedulerConfig;
}

/**
 * @throws FileError, WeightsError, ArgumentError for whatever is missing or does not fit, before anything large is read
 */
export async function loadModels(options: LoadOptions): Promise<PipelineModels> {
  if (typeof options?.model !== 'string') {
    throw invalidArgument('load', "options with the base model's path, {model: 'path'},", options);
  }
  const settings = componentSettings(options);
  const parts = (await isFile(options.model)) ? await singleFileParts(options) : await folderParts(options);
  const tokenizer = await CLIPTokenizer.load(parts.tokenizerFolder);
  const denoiser = loadUNet(settings, parts.unet);
  const textEncoder = loadTextEncoder(settings, 'text_encoder', parts.textEncoder, tokenizer);
  expectTextWidth(textEncoder, denoiser);
  return {
    engine: settings.engine,
    textEncoder,
    denoiser,
    vae: vaeOf(settings, parts.vae),
    ...(await loadAdapters(settings, options, denoiser, textEncoder)),
    controlNets: await Promise.all(
      (options.controlNets ?? []).map((folder, index) => loadControlNet(settings, folder, index, denoiser)),
    ),
    schedulerConfig: parts.schedulerConfig,
  };
}

/**
 * The models of a diffusers folder that stay as they are where a UNet is trained; its `unet` need not be there.
 *
 * @throws FileError, WeightsError, ArgumentError for whatever is missing or does not fit
 */
export async function loadFrozenModels(
  settings: ComponentSettings,
  model: string,
): Promise<Pick<PipelineModels, 'vae' | 'textEncoder' | 'schedulerConfig'>> {
  const parts = await frozenParts({model});
  const tokenizer = await CLIPTokenizer.load(parts.tokenizerFolder);
  return {
    vae: vaeOf(settings, parts.vae),
    textEncoder: loadTextEncoder(settings, 'text_encoder', parts.textEncoder, tokenizer),
    schedulerConfig: parts.schedulerConfig,
  };
}

async function folderParts(options: LoadOptions): Promise<BaseParts> {
  const unet = await componentPart(join(options.model, 'unet'), tensors => tensors);
  return {unet, ...(await frozenParts(options))};
}

async function frozenParts({
  model,
  vae,
  tokenizer,
}: Pick<LoadOptions, 'model' | 'vae' | 'tokenizer'>): Promise<FrozenParts> {
  const textEncoder = join(model, 'text_encoder');
  const schedulerPath = join(model, 'scheduler', 'scheduler_config.json');
  return {
    vae: await vaePart(vae ?? join(model, 'vae')),
    textEncoder: await componentPart(textEncoder, tensors =>
      canonicalTextEncoderTensors(tensors, {withProjection: false}),
    ),
    tokenizerFolder: tokenizer ?? join(model, 'tokenizer'),
    schedulerConfig: parseSchedulerConfig(await readText(schedulerPath), schedulerPath),
  };
}

async function singleFileParts({model, vae, tokenizer}: LoadOptions): Promise<BaseParts> {
  const split = splitSingleFile(await openWeights(model));
  const part = (name: 'unet' | 'vae' | 'textEncoder'): Part => {
    const component = split[name];
    if (component !== undefined) return {...component, where: `${name} of ${model}`};
    throw new WeightsError(
      `${model}: expected a whole checkpoint with unet, vae and text encoder, but there is no ${name}. ` +
        (name === 'vae' ? 'Give a VAE with the option vae.' : 'Use another file.'),
    );
  };
  return {
    unet: part('unet'),
    vae: vae === undefined ? part('vae') : await vaePart(vae),
    textEncoder: part('textEncoder'),
    tokenizerFolder: tokenizer ?? clipTokenizerFolder(),
    schedulerConfig: stableDiffusion1SchedulerConfig,
  };
}

async function vaePart(path: string): Promise<Part> {
  if (!(await isFile(path))) return componentPart(path, canonicalVaeTensors);
  const tensors = canonicalVaeTensors((await openWeights(path)).tensors);
  return {config: inferVaeConfig(tensors), tensors, where: path};
}

function loadUNet(settings: ComponentSettings, part: Part): Denoiser {
  const config = parseUNetConfig(part.config);
  return new Denoiser(settings, weightsOf('unet', part, describeUNetWeights(config)), config);
}

/** An autoencoder, alone: a folder, or a file. @throws FileError, WeightsError, ArgumentError where it is none */
export async function loadVae(settings: ComponentSettings, path: string): Promise<Autoencoder> {
  return vaeOf(settings, await vaePart(path));
}

function vaeOf(settings: ComponentSettings, part: Part): Autoencoder {
  const config = parseAutoencoderKLConfig(part.config);
  return new Autoencoder(settings, weightsOf('vae', part, describeAutoencoderKLWeights(config)), config);
}

async function loadControlNet(
  settings: ComponentSettings,
  folder: string,
  index: number,
  denoiser: Denoiser,
): Promise<ControlNet> {
  const part = await componentPart(folder, tensors => tensors);
  const config = parseControlNetConfig(part.config);
  if (config.crossAttentionDim !== denoiser.config.crossAttentionDim) {
    throw new WeightsError(
      `${folder}: expected a ControlNet for text of ${denoiser.config.crossAttentionDim} channels, as the UNet, ` +
        `got ${config.crossAttentionDim}. It belongs to another base model.`,
    );
  }
  const weights = weightsOf(`controlnet${index}`, part, describeControlNetWeights(config));
  return new ControlNet(settings, weights, config);
}

function expectTextWidth(textEncoder: TextEncoder, denoiser: Denoiser): void {
  const [expected, got] = [denoiser.config.crossAttentionDim, textEncoder.config.hiddenSize];
  if (expected === got) return;
  throw new WeightsError(
    `text_encoder: expected ${expected} channels, which the UNet attends to, got ${got}. ` +
      'UNet and text encoder belong to different models.',
  );
}
