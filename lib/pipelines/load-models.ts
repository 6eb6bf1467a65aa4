/**
 * Models from files: configs parsed, names brought to one form, every tensor accounted for.
 */
import {stat} from 'node:fs/promises';
import {join} from 'node:path';
import {Engine} from '../engine/engine.ts';
import {FileWeights} from '../engine/file-weights.ts';
import {ArgumentError, FileError, WeightsError} from '../errors.ts';
import {parseClipPreprocessConfig} from '../images/clip-preprocess-config.ts';
import {describeAutoencoderKLWeights, parseAutoencoderKLConfig} from '../models/autoencoder-kl.ts';
import {type ClipTextConfig, describeClipTextWeights, parseClipTextConfig} from '../models/clip-text.ts';
import {describeClipVisionWeights, parseClipVisionConfig} from '../models/clip-vision.ts';
import {describeControlNetWeights} from '../models/controlnet.ts';
import {parseControlNetConfig} from '../models/controlnet-config.ts';
import {describeAdapterWeights} from '../models/ip-adapter.ts';
import {crossAttentionLayers, describeUNetWeights} from '../models/unet.ts';
import {parseUNetConfig} from '../models/unet-config.ts';
import {openDevice} from '../runtime/device.ts';
import {stableDiffusion1SchedulerConfig} from '../schedulers/create-scheduler.ts';
import {parseSchedulerConfig, type SchedulerConfig} from '../schedulers/scheduler-config.ts';
import {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';
import {type AdapterDescription, detectAdapterKind} from '../weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../weights/adapter-names.ts';
import {
  canonicalTextEncoderTensors,
  canonicalVaeTensors,
  canonicalVisionEncoderTensors,
} from '../weights/component-names.ts';
import {openWeights} from '../weights/open-weights.ts';
import {reconcile} from '../weights/reconcile.ts';
import {splitSingleFile} from '../weights/single-file.ts';
import {inferVaeConfig} from '../weights/single-file-config.ts';
import type {TensorMap} from '../weights/stored-tensor.ts';
import {wrongEncoderMessage} from '../weights/wrong-encoder.ts';
import {clipTokenizerFolder} from './clip-vocabulary.ts';
import {Autoencoder} from './components/autoencoder.ts';
import type {ComponentSettings} from './components/component.ts';
import {ControlNet} from './components/control-net.ts';
import {Denoiser} from './components/denoiser.ts';
import {ImageAdapter} from './components/image-adapter.ts';
import {ImageEncoder} from './components/image-encoder.ts';
import {InstructionEncoder} from './components/instruction-encoder.ts';
import {TextEncoder} from './components/text-encoder.ts';
import {computeDType} from './compute-dtype.ts';
import type {AdapterModels} from './conditioning.ts';
import {keepOptions, type LoadOptions} from './load-options.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {readJson, readText} from './read-json.ts';

/** A component's config as parsed JSON, and its tensors under the names that our models ask for. */
interface Part {
  readonly config: unknown;
  readonly tensors: TensorMap;
  /** For messages. */
  readonly where: string;
}

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
  const device = openDevice(options.device ?? 'auto');
  const engine = new Engine(device, keepOptions(options));
  const settings: ComponentSettings = {engine, dtype: computeDType(options.dtype, device)};
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
    adapter: await loadAdapter(settings, options, denoiser, textEncoder),
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

async function componentPart(folder: string, rename: (tensors: TensorMap) => TensorMap): Promise<Part> {
  const config = await readJson(join(folder, 'config.json'));
  const {tensors, path} = await openWeights(folder);
  return {config, tensors: rename(tensors), where: path};
}

async function vaePart(path: string): Promise<Part> {
  if (!(await isFile(path))) return componentPart(path, canonicalVaeTensors);
  const tensors = canonicalVaeTensors((await openWeights(path)).tensors);
  return {config: inferVaeConfig(tensors), tensors, where: path};
}

function weightsOf(
  label: string,
  {tensors, where}: Part,
  expected: ReadonlyMap<string, readonly number[]>,
): FileWeights {
  return new FileWeights(label, reconcile(expected, tensors, `${label} of ${where}`));
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

function loadTextEncoder(
  settings: ComponentSettings,
  label: string,
  part: Part,
  tokenizer: CLIPTokenizer,
): TextEncoder {
  const config = parseClipTextConfig(part.config);
  expectItsTokenizer(label, config, tokenizer);
  return new TextEncoder(
    settings,
    weightsOf(label, part, describeClipTextWeights(config)),
    config,
    tokenizer,
  );
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

async function loadAdapter(
  settings: ComponentSettings,
  options: LoadOptions,
  denoiser: Denoiser,
  textEncoder: TextEncoder,
): Promise<AdapterModels | undefined> {
  if (options.adapter === undefined) return undefined;
  const adapter = await loadImageAdapter(settings, options.adapter, options, denoiser);
  return joinAdapter(adapter, await loadAdapterEncoders(settings, options, textEncoder));
}

/**
 * An adapter alone, without the encoders of what it reads.
 *
 * @throws FileError, WeightsError where the file holds no adapter, or one that does not fit the UNet
 */
export async function loadImageAdapter(
  settings: ComponentSettings,
  path: string,
  options: Pick<LoadOptions, 'adapterHeads'>,
  denoiser: Denoiser,
): Promise<ImageAdapter> {
  const {description, part} = await openAdapter(path, options, denoiser);
  const layers = crossAttentionLayers(denoiser.config);
  const weights = weightsOf('adapter', part, describeAdapterWeights(description, layers));
  return new ImageAdapter(settings, weights, description, layers);
}

/**
 * An adapter's file: what it holds, and of which kind it is.
 *
 * @throws FileError, WeightsError where it holds no adapter, or one for another base model
 */
export async function openAdapter(
  path: string,
  {adapterHeads}: Pick<LoadOptions, 'adapterHeads'>,
  denoiser: Denoiser,
): Promise<{description: AdapterDescription; part: Part}> {
  const tensors = canonicalAdapterTensors(await openWeights(path));
  const description = detectAdapterKind(tensors, {
    what: path,
    ...(adapterHeads !== undefined && {heads: adapterHeads}),
  });
  if (description.crossAttentionDim !== denoiser.config.crossAttentionDim) {
    throw new WeightsError(
      `${path}: expected an adapter for text of ${denoiser.config.crossAttentionDim} channels, as the UNet, ` +
        `got ${description.crossAttentionDim}. It belongs to another base model.`,
    );
  }
  return {description, part: {config: undefined, tensors, where: path}};
}

/** What an adapter reads: images, and instructions. */
export interface AdapterEncoders {
  readonly imageEncoder: ImageEncoder;
  readonly instructionEncoder: TextEncoder;
}

/** @throws ArgumentError, FileError, WeightsError where one is missing or does not fit */
export async function loadAdapterEncoders(
  settings: ComponentSettings,
  {imageEncoder, instructionEncoder, tokenizer}: LoadOptions,
  textEncoder: TextEncoder,
): Promise<AdapterEncoders> {
  if (imageEncoder === undefined) {
    throw new ArgumentError(
      'imageEncoder: expected the folder of a CLIP vision model, which the adapter needs.',
    );
  }
  return {
    imageEncoder: await loadImageEncoder(settings, imageEncoder),
    instructionEncoder:
      instructionEncoder === undefined
        ? textEncoder
        : await loadInstructionEncoder(settings, instructionEncoder, tokenizer, textEncoder.tokenizer),
  };
}

/** @throws WeightsError, ArgumentError where an encoder is not of the kind that the adapter reads */
export function joinAdapter(
  adapter: ImageAdapter,
  {imageEncoder, instructionEncoder}: AdapterEncoders,
): AdapterModels {
  const {description} = adapter;
  const mismatch = wrongEncoderMessage(description, imageEncoder.config);
  if (mismatch !== undefined) throw new WeightsError(mismatch);
  const width = 'instruction' in description ? description.instruction?.textWidth : undefined;
  return {
    adapter,
    imageEncoder,
    instructionEncoder: InstructionEncoder.forWidth(
      instructionEncoder,
      width ?? instructionEncoder.config.hiddenSize,
    ),
  };
}

/** A CLIP vision model with projection, alone. */
export async function loadImageEncoder(settings: ComponentSettings, folder: string): Promise<ImageEncoder> {
  const part = await componentPart(folder, canonicalVisionEncoderTensors);
  const config = parseClipVisionConfig(part.config);
  const path = join(folder, 'preprocessor_config.json');
  const preprocess = parseClipPreprocessConfig((await isFile(path)) ? await readJson(path) : {}, path);
  if (preprocess.cropSize !== config.imageSize) {
    throw new FileError(
      `${path}: expected pictures of ${config.imageSize} pixels, as the encoder takes, got ${preprocess.cropSize}.`,
    );
  }
  const weights = weightsOf('image_encoder', part, describeClipVisionWeights(config));
  return new ImageEncoder(settings, weights, config, preprocess);
}

/** A CLIP text model that is not the base model's; `tokenizer` is the base model's, for folders that bring none. */
export async function loadInstructionEncoder(
  settings: ComponentSettings,
  folder: string,
  tokenizerFolder: string | undefined,
  tokenizer: CLIPTokenizer,
): Promise<TextEncoder> {
  const part = await componentPart(folder, tensors =>
    canonicalTextEncoderTensors(tensors, {withProjection: tensors.has('text_projection.weight')}),
  );
  const own = (await isFile(join(folder, 'vocab.json'))) && tokenizerFolder === undefined;
  const itsTokenizer = own ? await CLIPTokenizer.load(folder) : tokenizer;
  return loadTextEncoder(settings, 'instruction_encoder', part, itsTokenizer);
}

function expectItsTokenizer(
  label: string,
  {vocabSize, maxPositionEmbeddings}: ClipTextConfig,
  {bosTokenId, eosTokenId, padTokenId, modelMaxLength}: CLIPTokenizer,
): void {
  const greatestId = Math.max(bosTokenId, eosTokenId, padTokenId);
  if (greatestId < vocabSize && modelMaxLength <= maxPositionEmbeddings) return;
  throw new FileError(
    `${label}: expected a tokenizer with ids below ${vocabSize} and texts of at most ${maxPositionEmbeddings} tokens, ` +
      `got special tokens up to ${greatestId} and texts of ${modelMaxLength}. Give the tokenizer of the same model.`,
  );
}

function expectTextWidth(textEncoder: TextEncoder, denoiser: Denoiser): void {
  const [expected, got] = [denoiser.config.crossAttentionDim, textEncoder.config.hiddenSize];
  if (expected === got) return;
  throw new WeightsError(
    `text_encoder: expected ${expected} channels, which the UNet attends to, got ${got}. ` +
      'UNet and text encoder belong to different models.',
  );
}

async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() ?? false;
}
