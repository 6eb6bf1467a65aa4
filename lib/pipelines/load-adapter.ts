/**
 * Adapters from files, and the encoders of what they read.
 */
import {ArgumentError, WeightsError} from '../errors.ts';
import {describeAdapterWeights} from '../models/ip-adapter.ts';
import {crossAttentionLayers} from '../models/unet.ts';
import {type AdapterDescription, detectAdapterKind} from '../weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../weights/adapter-names.ts';
import {openWeights} from '../weights/open-weights.ts';
import {wrongEncoderMessage} from '../weights/wrong-encoder.ts';
import {type Part, weightsOf} from './component-part.ts';
import type {ComponentSettings} from './components/component.ts';
import type {Denoiser} from './components/denoiser.ts';
import {ImageAdapter} from './components/image-adapter.ts';
import type {ImageEncoder} from './components/image-encoder.ts';
import {InstructionEncoder} from './components/instruction-encoder.ts';
import type {TextEncoder} from './components/text-encoder.ts';
import type {AdapterModels} from './conditioning.ts';
import {loadImageEncoder, loadInstructionEncoder} from './load-encoders.ts';
import type {LoadOptions} from './load-options.ts';
import type {PipelineModels} from './pipeline-models.ts';

/** All that the options name. @throws FileError, WeightsError, ArgumentError where something does not fit */
export async function loadAdapters(
  settings: ComponentSettings,
  options: LoadOptions,
  denoiser: Denoiser,
  textEncoder: TextEncoder,
): Promise<Pick<PipelineModels, 'adapter' | 'namedAdapters'>> {
  const {adapter, adapters = {}} = options;
  const named = Object.entries(adapters);
  if (adapter === undefined && named.length === 0) return {};
  const encoders = await loadAdapterEncoders(settings, options, textEncoder);
  const load = async (path: string) =>
    joinAdapter(await loadImageAdapter(settings, path, options, denoiser), encoders);
  return {
    adapter: adapter === undefined ? undefined : await load(adapter),
    namedAdapters: new Map(
      await Promise.all(named.map(async ([name, path]) => [name, await load(path)] as const)),
    ),
  };
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
