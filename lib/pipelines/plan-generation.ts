/**
 * The programs of a generation with the shapes that they run on, known before anything is loaded or run.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import type {TensorType} from '../graph/tensor.ts';
import {flattenTree, type Tree} from '../graph/tree.ts';
import type {DType} from '../runtime/dtype.ts';
import {type AdapterModels, encodedChunks, imagesInRow, sourcesOf} from './conditioning.ts';
import type {ConditionSlot} from './conditions.ts';
import {adapterModels} from './generate.ts';
import {type LatentSize, latentShape} from './initial-latents.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {levelSizes} from './region-masks.ts';
import {allChunks, rowGroups, rowTexts, type TextReading} from './row-texts.ts';
import {haveEqualRows, type Row, samplesIn} from './rows.ts';
import type {Sample} from './samples.ts';

/** What decides which programs a generation runs, on which shapes. */
export interface PlanRequest {
  readonly slots: readonly ConditionSlot[];
  readonly samples: readonly Sample[];
  readonly rows: readonly Row[];
  readonly reading: TextReading;
  readonly size: LatentSize;
  /** Evaluations of the UNet, whatever image to image leaves out. */
  readonly timesteps: number;
  readonly decodes: boolean;
  readonly usesControlNets: boolean;
  readonly observesAttention: boolean;
}

export interface GenerationPlan {
  /** In the order in which they first run. */
  readonly programs: readonly FunctionPlan[];
  /** Keys, values and other results that live from program to program. */
  readonly held: readonly TensorType[];
}

export function planGeneration(models: PipelineModels, request: PlanRequest): GenerationPlan {
  return new Planner(models, request).planAll();
}

function type(dtype: DType, ...shape: readonly number[]): TensorType {
  return {dtype, shape};
}

function leaves(tree: unknown): TensorType[] {
  const isType = (value: unknown): value is TensorType =>
    typeof value === 'object' && value !== null && 'dtype' in value;
  return flattenTree(tree as Tree<TensorType>, isType).map(leaf => leaf.value);
}

type ImageTypes = {
  readonly keyValues: readonly {readonly key: TensorType; readonly value: TensorType}[];
  readonly scales: TensorType;
  readonly masks?: readonly TensorType[];
};

/** Rows that go through the UNet together, and their text: [rows, tokens, C]. */
interface GroupTypes {
  readonly rows: readonly Row[];
  readonly encoderHiddenStates: TensorType;
}

/** Plans each program that a generation runs, as `generate` would call it. */
class Planner {
  readonly #models: PipelineModels;
  readonly #request: PlanRequest;
  readonly #programs: FunctionPlan[] = [];
  readonly #held: TensorType[] = [];

  constructor(models: PipelineModels, request: PlanRequest) {
    this.#models = models;
    this.#request = request;
  }

  planAll(): GenerationPlan {
    const {vae} = this.#models;
    const {samples, size, decodes} = this.#request;
    const groups = this.#planTexts();
    const images = this.#request.slots.map((_, slot) => this.#planImages(slot, groups));
    if (samples.some(({image}) => image !== undefined)) {
      this.#add(vae.encoder.plan({image: type('float32', 1, 3, size.height, size.width)}));
    }
    for (const [index, group] of groups.entries()) {
      this.#planStep(
        group,
        images.map(ofGroups => ofGroups[index]!),
      );
    }
    if (decodes) {
      this.#add(vae.decoder.plan({latents: type('float32', ...latentShape(size, vae.scaleFactor))}));
      // The decoder's result, once on the device and once for each picture on the host.
      this.#held.push(type('float32', samples.length + 1, 3, size.height, size.width));
    }
    return {programs: this.#programs, held: this.#held};
  }

  #add<Output>(plan: FunctionPlan<Output>): FunctionPlan<Output>['output'] {
    this.#programs.push(plan as FunctionPlan);
    return plan.output;
  }

  #planTexts(): GroupTypes[] {
    const {textEncoder} = this.#models;
    const {reading, rows} = this.#request;
    const {tokenizer} = textEncoder;
    const texts = rowTexts(tokenizer, rows, reading);
    const {last, skipped} = encodedChunks({textEncoder, adapters: this.#adapters}, rows, texts);
    const plan = (chunks: number, skip: number) => {
      const inputIds = type('int32', chunks, tokenizer.modelMaxLength);
      if (chunks > 0) this.#add(textEncoder.hiddenStates(skip).plan({inputIds}));
    };
    plan(last.length, 0);
    plan(skipped.length, reading.clipSkip);
    return rowGroups(texts).map(places => {
      const tokens = allChunks(texts[places[0]!]!).length * tokenizer.modelMaxLength;
      return {
        rows: places.map(place => rows[place]!),
        encoderHiddenStates: type('float32', places.length, tokens, textEncoder.config.hiddenSize),
      };
    });
  }

  /** One for each slot of conditions. */
  get #adapters(): AdapterModels[] {
    return this.#request.slots.map(({adapter}) => adapterModels(this.#models, adapter));
  }

  /** One for each group. */
  #planImages(slot: number, groups: readonly GroupTypes[]): ImageTypes[] {
    const adapter = this.#adapters[slot]!;
    const {rows, slots} = this.#request;
    const sources = sourcesOf(rows, slot);
    const images = new Set(sources.flatMap(source => source.images ?? [])).size;
    const {imageSize, numChannels} = adapter.imageEncoder.config;
    const {adapter: projection, imageEncoder} = adapter;
    const features = imageEncoder.compiled(projection.features);
    const encoded = this.#add(
      features.plan({pixelValues: type('float32', images, numChannels, imageSize, imageSize)}),
    );
    const perSource = imagesInRow(sources);
    const subtracts = sources.some(({content}) => content !== '');
    const tokens = this.#planTokens(adapter, rows.length * perSource, encoded.shape.slice(1), subtracts);
    const [, each, width] = tokens.shape as [number, number, number];
    const masks = slots[slot]!.mask === undefined ? undefined : this.#maskTypes();
    return groups.map(group => {
      const perRow = type('float32', group.rows.length, perSource * each, width);
      const keyValues = this.#add(projection.keyValues.plan({tokens: perRow}));
      this.#held.push(...leaves(keyValues), ...(masks ?? []));
      const scales = type('float32', projection.layers.length, group.rows.length);
      return {keyValues, scales, ...(masks && {masks})};
    });
  }

  #maskTypes(): TensorType[] {
    const {denoiser, vae} = this.#models;
    const [, , height, width] = latentShape(this.#request.size, vae.scaleFactor) as number[];
    const levels = denoiser.config.blockOutChannels.length;
    return levelSizes({height: height!, width: width!}, levels).map(level =>
      type('float32', 1, level.height * level.width),
    );
  }

  /** @param count of tokens' sources, at the most: those of equal image and texts share theirs */
  #planTokens(
    {adapter, instructionEncoder}: AdapterModels,
    count: number,
    featureShape: readonly number[],
    subtracts: boolean,
  ): TensorType {
    const {textEncoder} = this.#models;
    const textTokens = textEncoder.tokenizer.modelMaxLength;
    const {encoder, form} = instructionEncoder;
    const inputIds = type('int32', count, textTokens);
    const endIndices = type('int32', count);
    const instruction =
      form === 'tokens'
        ? type('float32', count, textTokens, encoder.config.hiddenSize)
        : type('float32', count, 1, encoder.config.projectionDim!);
    const isPlanned = instructionEncoder.readsLastStatesOf(textEncoder);
    if (adapter.readsInstruction && form === 'tokens' && !isPlanned)
      this.#add(encoder.hiddenStates(0).plan({inputIds}));
    if (subtracts || (adapter.readsInstruction && form === 'pooled'))
      this.#add(encoder.embeds.plan({inputIds, endIndices}));
    return this.#add(
      adapter.compiledTokens.plan({
        image: type('float32', count, ...featureShape),
        instruction: adapter.readsInstruction ? instruction : undefined,
        prompt: adapter.readsPrompt
          ? type('float32', count, textTokens, textEncoder.config.hiddenSize)
          : undefined,
      }),
    );
  }

  #planStep({rows, encoderHiddenStates}: GroupTypes, images: readonly ImageTypes[]): void {
    const {denoiser, vae, controlNets} = this.#models;
    const {size, usesControlNets, observesAttention} = this.#request;
    const batch = haveEqualRows(rows) ? samplesIn(rows).length : rows.length;
    const timesteps = type('float32', this.#request.timesteps);
    const textKeyValues = this.#add(denoiser.textKeyValues.plan({encoderHiddenStates}));
    const projections = this.#add(denoiser.timeProjections.plan({timesteps}));
    this.#held.push(...leaves(textKeyValues));
    const row = type('float32', 1, projections.shape[1]!);
    const [, , height, width] = latentShape(size, vae.scaleFactor);
    const active = usesControlNets ? controlNets : [];
    const controls = active.map(net => {
      const image = type('float32', 1, 3, size.height, size.width);
      const conditioning = this.#add(net.conditioning.plan({image}));
      const keyValues = this.#add(net.textKeyValues.plan({encoderHiddenStates}));
      const time = this.#add(net.timeProjections.plan({timesteps}));
      this.#held.push(conditioning, ...leaves(keyValues));
      return {
        conditioning,
        textKeyValues: keyValues,
        timeProjections: type('float32', 1, time.shape[1]!),
        scale: type('float32', 1),
      };
    });
    const inputs = {
      sample: type('float32', batch, denoiser.config.inChannels, height!, width!),
      timeProjections: row,
      textKeyValues,
      ...(images.length > 0 && {images}),
      ...(controls.length > 0 && {controls}),
    };
    if (observesAttention) this.#add(denoiser.observedStep(active).plan(inputs));
    else this.#add(denoiser.step(active).plan(inputs));
  }
}
