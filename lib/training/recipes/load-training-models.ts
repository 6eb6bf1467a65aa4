/**
 * The models of a training run: a frozen base with its encoders, and an adapter with the weights that it begins with.
 */
import {ArgumentError} from '../../errors.ts';
import {describeAdapterWeights} from '../../models/ip-adapter.ts';
import {crossAttentionLayers} from '../../models/unet.ts';
import type {ComponentSettings} from '../../pipelines/components/component.ts';
import type {Denoiser} from '../../pipelines/components/denoiser.ts';
import {ImageAdapter} from '../../pipelines/components/image-adapter.ts';
import {computeDType} from '../../pipelines/compute-dtype.ts';
import {
  describeNewAdapter,
  type NewAdapterKind,
  withInstruction,
} from '../../pipelines/describe-new-adapter.ts';
import type {HostTensor} from '../../pipelines/host-tensor.ts';
import {
  type AdapterEncoders,
  joinAdapter,
  loadAdapterEncoders,
  openAdapter,
} from '../../pipelines/load-adapter.ts';
import {loadModels} from '../../pipelines/load-models.ts';
import type {LoadOptions, RandomOptions} from '../../pipelines/load-options.ts';
import type {PipelineModels} from '../../pipelines/pipeline-models.ts';
import {randomModels} from '../../pipelines/random-models.ts';
import type {AdapterDescription, ResamplerAdapter} from '../../weights/adapter-kind.ts';
import {readTensor} from '../../weights/read-tensor.ts';
import {reconcile} from '../../weights/reconcile.ts';
import {TrainableWeights} from '../trainable-weights.ts';
import {type AdapterInitialization, initializeAdapter} from './initialize-adapter.ts';
import {newAdapterWeights} from './new-adapter.ts';

/** Which adapter is trained, and what it begins with. */
export interface AdapterStart {
  readonly kind: NewAdapterKind;
  /**
   * An adapter to begin with: of the same kind, or an IP-Adapter+ for both forms of IPAdapter-Instruct. Without one,
   * training begins as that of an IP-Adapter does.
   */
  readonly from?: string | undefined;
  /** Of what IPAdapter-Instruct adds to IP-Adapter+. Default `exact`. */
  readonly initialization?: AdapterInitialization | undefined;
  /** Of all that begins at random. Default 0. */
  readonly seed?: number | undefined;
}

/** The models of a run, and the weights that it begins with. */
export interface TrainingModels {
  /** Their adapter has a description only: its weights are the trainer's. */
  readonly models: PipelineModels;
  readonly initial: ReadonlyMap<string, HostTensor>;
}

/** @throws FileError, WeightsError, ArgumentError where something is missing or does not fit */
export async function loadTrainingModels(
  options: Omit<LoadOptions, 'adapter'>,
  start: AdapterStart,
): Promise<TrainingModels> {
  const base = await loadModels(options);
  const {engine, denoiser, textEncoder} = base;
  const settings = {engine, dtype: computeDType(options.dtype, engine.device)};
  const encoders = await loadAdapterEncoders(settings, options, textEncoder);
  const source = start.from === undefined ? undefined : await openAdapter(start.from, options, denoiser);
  const description = describe(start, denoiser, encoders, source?.description);
  const adapter = trainedAdapter(settings, description, denoiser);
  return {
    models: {...base, adapter: joinAdapter(adapter, encoders)},
    initial: await beginWith(start, adapter, denoiser, source && (await readWeights(source, adapter))),
  };
}

/** The same with random weights in the base model and its encoders, to try and to measure. */
export async function randomTrainingModels(
  options: Omit<RandomOptions, 'adapter'>,
  start: Omit<AdapterStart, 'from'>,
): Promise<TrainingModels> {
  const base = await randomModels({...options, adapter: start.kind});
  const {engine, denoiser} = base;
  const settings = {engine, dtype: computeDType(options.dtype, engine.device)};
  const adapter = trainedAdapter(settings, base.adapter!.adapter.description, denoiser);
  return {
    models: {...base, adapter: {...base.adapter!, adapter}},
    initial: await beginWith(start, adapter, denoiser, undefined),
  };
}

function trainedAdapter(
  settings: ComponentSettings,
  description: AdapterDescription,
  denoiser: Denoiser,
): ImageAdapter {
  const layers = crossAttentionLayers(denoiser.config);
  return new ImageAdapter(settings, new TrainableWeights('adapter', () => undefined), description, layers);
}

/** Sizes of the adapter to be trained: its file's, or those of published adapters. */
function describe(
  {kind, from}: AdapterStart,
  {config}: Denoiser,
  {imageEncoder, instructionEncoder}: AdapterEncoders,
  known: AdapterDescription | undefined,
): AdapterDescription {
  const textWidth = instructionEncoder.config.hiddenSize;
  if (known === undefined) {
    const {crossAttentionDim: dim} = config;
    const vision = imageEncoder.config;
    // As wide as the UNet's texts, with heads of 64 channels and four layers, as all that is published.
    const resampler = {dim, heads: Math.ceil(dim / 64), dimHead: 64, depth: 4};
    return describeNewAdapter(kind, resampler, {
      imageWidth: kind === 'classic' ? vision.projectionDim : vision.hiddenSize,
      textWidth,
      crossAttentionDim: dim,
      attentionLayers: crossAttentionLayers(config).length,
    });
  }
  if (known.kind === kind) return known;
  if (isPlus(known) && isInstruct(kind)) return withInstruction(known, kind, textWidth);
  const expected = isInstruct(kind) ? `'${kind}' or 'plus'` : `'${kind}'`;
  throw new ArgumentError(
    `adapter.from: expected an adapter of the kind ${expected}, got '${known.kind}' in ${from}. ` +
      'Give another file, or train another kind.',
  );
}

async function beginWith(
  {kind, initialization, seed = 0}: AdapterStart,
  {description, layers}: ImageAdapter,
  denoiser: Denoiser,
  known: ReadonlyMap<string, HostTensor> | undefined,
): Promise<ReadonlyMap<string, HostTensor>> {
  const shapes = describeAdapterWeights(description, layers);
  if (!isInstruct(kind)) return known ?? newAdapterWeights(description, denoiser, seed);
  const plus = known ?? (await newAdapterWeights(plusOf(description), denoiser, seed));
  return initializeAdapter(shapes, plus, {seed, ...(initialization && {initialization})});
}

function isPlus(description: AdapterDescription): description is ResamplerAdapter & {readonly kind: 'plus'} {
  return description.kind === 'plus';
}

function isInstruct(kind: AdapterDescription['kind']): kind is 'instruct' | 'instruct-paper' {
  return kind === 'instruct' || kind === 'instruct-paper';
}

/** The IP-Adapter+ within an IPAdapter-Instruct. */
function plusOf(description: AdapterDescription): AdapterDescription {
  const {instruction, ...plus} = description as ResamplerAdapter;
  return {...plus, kind: 'plus'};
}

/** @throws WeightsError where some are missing or superfluous */
async function readWeights(
  {description, part}: Awaited<ReturnType<typeof openAdapter>>,
  {layers}: ImageAdapter,
): Promise<Map<string, HostTensor>> {
  const shapes = describeAdapterWeights(description, layers);
  const read = new Map<string, HostTensor>();
  for (const [name, stored] of reconcile(shapes, part.tensors, `adapter of ${part.where}`)) {
    read.set(name, {shape: shapes.get(name)!, data: await readTensor(stored)});
  }
  return read;
}
