/**
 * One generation, from options to pictures.
 */

import {ArgumentError} from '../errors.ts';
import type {RgbImage} from '../images/image.ts';
import {checkLatentSize} from '../images/latent-image.ts';
import {tensorToImage} from '../images/tensor-to-image.ts';
import {crossAttentionLayers} from '../models/unet.ts';
import {createScheduler} from '../schedulers/create-scheduler.ts';
import type {Scheduler} from '../schedulers/scheduler.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';
import {adapterSchedule} from './adapter-schedule.ts';
import {AttentionMapSums} from './attention-maps.ts';
import {prepareBatchStart} from './batch-start.ts';
import {type AdapterModels, encodeConditioning} from './conditioning.ts';
import {type AdapterTraits, type ConditionSlot, resolveConditions} from './conditions.ts';
import {checkContentSubtraction} from './content-subtraction.ts';
import {resolveControls} from './control-requests.ts';
import {type DenoiseRequest, denoise, type RowGroup} from './denoise.ts';
import {checkFinite, checkInteger, checkRange, type GenerateOptions} from './generate-options.ts';
import {gatherRows, type HostTensor, stackRows} from './host-tensor.ts';
import type {LatentSize} from './initial-latents.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {checkPromptSyntax} from './prompt-chunks.ts';
import {regionMasks} from './region-masks.ts';
import {rowGroups, rowTexts, type TextReading} from './row-texts.ts';
import {type Row, rowsOf} from './rows.ts';
import {entryCount, resolveSamples, type Sample} from './samples.ts';
import {disposeConstants, prepareConstants} from './step-inputs.ts';

/** One result. */
export interface GeneratedImage {
  /** Undefined with `outputType: 'latent'`. */
  readonly image?: RgbImage;
  /** The decoder's output [1, 3, height, width], nominally -1 … 1; undefined with `outputType: 'latent'`. */
  readonly pixels?: HostTensor;
  /** [1, C, height / 8, width / 8], times the scaling factor. */
  readonly latents: HostTensor;
  readonly seed: number;
  /**
   * With `attentionMaps`: one for each condition of the picture, float32 [tokens, height / 8, width / 8]. Each token's share
   * of the attention at a position, 0 … 1; the shares at a position sum to 1. Scale and mask of the condition are not in it.
   */
  readonly attentionMaps?: readonly HostTensor[];
}

/** Seconds of each phase. */
export interface Timings {
  readonly encodeSeconds: number;
  readonly denoiseSeconds: number;
  readonly decodeSeconds: number;
  readonly totalSeconds: number;
}

/** What a generation gives, with an entry for each sample. */
export interface GenerateResult {
  readonly images: readonly GeneratedImage[];
  readonly timings: Timings;
}

/** Diffusers' default. */
export const defaultSteps = 50;

export async function generate(models: PipelineModels, options: GenerateOptions): Promise<GenerateResult> {
  const {denoiser} = models;
  const {signal, profile, onProgress} = options;
  signal?.throwIfAborted();
  const begin = performance.now();
  const {slots, samples} = samplesOf(models, options);
  const reading = textReadingOf(options);
  const rows = rowsOf(samples, reading.promptSyntax);
  const size = sizeOf(models, options);
  const scheduler = schedulerOf(models, options);
  const guidanceRescale = checkRange('guidanceRescale', options.guidanceRescale ?? 0, 0, 1);
  const adapters = slots.map(({adapter}) => adapterModels(models, adapter));
  const run = {signal, profile};
  const onWarning = options.onWarning ?? ((message: string) => process.emitWarning(message));
  warnIfUnread(rows, samples, onWarning);

  onProgress?.({type: 'encode'});
  const controls = await resolveControls(models.controlNets, options, size);
  const {textEncoder} = models;
  const texts = rowTexts(textEncoder.tokenizer, rows, reading);
  const conditioning = await encodeConditioning({textEncoder, adapters}, rows, texts, {
    ...run,
    ...reading,
    fit: options.fit,
    padColor: options.padColor,
    background: options.background,
    unconditionalImage: options.unconditionalImage,
    negContentScale: checkFinite('negContentScale', options.negContentScale ?? 1),
    onWarning,
  });
  const generators = samples.map(sample => new TorchGenerator(sample.seed));
  const start = await prepareBatchStart(models, options, samples, generators, size, scheduler);
  const totalSteps = scheduler.timesteps.length - start.beginStep;
  const {autoScale = true, background} = options;
  const layers = crossAttentionLayers(denoiser.config);
  const schedules = slots.map((slot, place) =>
    adapterSchedule(slot, place, {samples, rows, layers, totalSteps, autoScale}),
  );
  const attentionMaps =
    options.attentionMaps === true ? new AttentionMapSums(rows, schedules, totalSteps) : undefined;
  const levels = denoiser.config.blockOutChannels.length;
  const masks = await Promise.all(
    slots.map(({mask}) =>
      mask === undefined ? undefined : regionMasks(mask, size, models.vae.scaleFactor, levels, background),
    ),
  );
  const groups: RowGroup[] = [];
  let encoded: number;
  let latents: HostTensor;
  try {
    for (const places of rowGroups(texts)) {
      const constants = await prepareConstants(
        denoiser,
        stackRows(places.map(place => conditioning.textStates[place]!)),
        adapters.map(({adapter}, slot) => ({
          adapter,
          tokens: gatherRows(conditioning.imageTokens[slot]!, places),
          masks: masks[slot],
        })),
        scheduler.timesteps,
        controls,
        run,
      );
      groups.push({places, rows: places.map(place => rows[place]!), constants});
    }
    encoded = performance.now();
    const request: DenoiseRequest = {
      ...start,
      denoiser,
      scheduler,
      groups,
      generators,
      schedules,
      guidanceRescale,
      attentionMaps,
      onStep: (step, timestep, predOriginalSample) =>
        onProgress?.({type: 'step', step, totalSteps, timestep, predOriginalSample}),
    };
    latents = await denoise(request, run);
  } finally {
    for (const {constants} of groups) disposeConstants(constants);
  }
  const denoised = performance.now();
  const decoded = await decodeAll(models, options, samples, latents, size);
  const [, , height, width] = latents.shape as [number, number, number, number];
  const images = decoded.map((image, sample) => ({
    ...image,
    ...(attentionMaps && {attentionMaps: attentionMaps.mapsOf(sample, {height, width})}),
  }));
  const end = performance.now();
  return {
    images,
    timings: {
      encodeSeconds: (encoded - begin) / 1000,
      denoiseSeconds: (denoised - encoded) / 1000,
      decodeSeconds: (end - denoised) / 1000,
      totalSeconds: (end - begin) / 1000,
    },
  };
}

/** How its texts are read. */
export function textReadingOf({promptSyntax, clipSkip}: GenerateOptions): TextReading {
  return {
    promptSyntax: checkPromptSyntax(promptSyntax ?? 'plain'),
    clipSkip: checkInteger('clipSkip', clipSkip ?? 0, 0),
  };
}

/** A picture that no row reads would be left out in silence. */
function warnIfUnread(
  rows: readonly Row[],
  samples: readonly Sample[],
  onWarning: (message: string) => void,
): void {
  const isGiven = samples.some(({negativeImage}) => negativeImage !== undefined);
  if (!isGiven || rows.some(({branch}) => branch.kind === 'unconditional')) return;
  onWarning(
    'unconditionalImage: no sample reads it, as guidance has no part for the unconditional branch. ' +
      "Choose guidance 'simple' with a guidanceScale other than 1, or an imageGuidanceScale other than 1.",
  );
}

/** The samples of a generation, and the slots of their conditions. */
export function samplesOf(models: PipelineModels, options: GenerateOptions): SamplesAndSlots {
  const named = [...(models.namedAdapters ?? [])];
  const loaded = [...(models.adapter ? [[undefined, models.adapter] as const] : []), ...named];
  const traits = loaded.map(([name, {adapter}]) => ({name, readsInstruction: adapter.readsInstruction}));
  const slots = resolveConditions(options, traits, entryCount(options));
  if (options.attentionMaps === true && slots.length === 0) {
    throw new ArgumentError(
      'attentionMaps: expected a condition image, whose tokens are attended, but there is none. ' +
        'Give ipAdapterImage or conditions, or leave attentionMaps out.',
    );
  }
  for (const {adapter, entries} of slots) {
    if (!entries.some(entry => entry !== undefined && entry.negContentPrompt !== '')) continue;
    const {adapter: reader, instructionEncoder} = adapterModels(models, adapter);
    checkContentSubtraction(reader, instructionEncoder.encoder);
  }
  return {slots, samples: resolveSamples(options, slots)};
}

export interface SamplesAndSlots {
  readonly slots: readonly ConditionSlot[];
  readonly samples: readonly Sample[];
}

/** The loaded adapter that a slot names. */
export function adapterModels(models: PipelineModels, {name}: AdapterTraits): AdapterModels {
  // A slot is made for a loaded adapter only.
  return name === undefined ? models.adapter! : models.namedAdapters!.get(name)!;
}

/** The size of its latents. */
export function sizeOf({denoiser, vae}: PipelineModels, {height, width}: GenerateOptions): LatentSize {
  const [rows, columns] = denoiser.config.sampleSize ?? [64, 64];
  const size = {
    channels: vae.config.latentChannels,
    height: height ?? rows * vae.scaleFactor,
    width: width ?? columns * vae.scaleFactor,
  };
  checkLatentSize(size.width, size.height);
  return size;
}

/** Its scheduler, with the timesteps laid out. */
export function schedulerOf({schedulerConfig}: PipelineModels, options: GenerateOptions): Scheduler {
  const eta = options.eta === undefined ? {} : {eta: checkRange('eta', options.eta, 0, 1)};
  const config = {...schedulerConfig, ...eta};
  const scheduler =
    options.scheduler === undefined ? createScheduler(config) : createScheduler(options.scheduler, config);
  scheduler.setTimesteps(options.numInferenceSteps ?? defaultSteps);
  return scheduler;
}

/** One picture at a time: the decoder's activations are the largest of all. */
async function decodeAll(
  {vae}: PipelineModels,
  {outputType = 'pil', signal, profile, onProgress}: GenerateOptions,
  samples: readonly Sample[],
  latents: HostTensor,
  {height, width}: LatentSize,
): Promise<GeneratedImage[]> {
  const images: GeneratedImage[] = [];
  for (const [index, {seed}] of samples.entries()) {
    const own = gatherRows(latents, [index]);
    if (outputType === 'latent') {
      images.push({latents: own, seed});
      continue;
    }
    const place = {image: index, totalImages: samples.length};
    onProgress?.({type: 'decode', ...place});
    const pixels = await vae.decode(own, {signal, profile});
    const picture = tensorToImage(pixels.data, width, height);
    images.push({image: picture, pixels, latents: own, seed});
    onProgress?.({type: 'picture', ...place, picture, seed});
  }
  return images;
}
