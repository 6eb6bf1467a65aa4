/**
 * The programs of a generation with the shapes that they run on, known before anything is loaded or run.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import type {TensorType} from '../graph/tensor.ts';
import {flattenTree, type Tree} from '../graph/tree.ts';
import type {DType} from '../runtime/dtype.ts';
import {type AdapterModels, imagesInRow, lastStateTexts, sourcesOf} from './conditioning.ts';
import type {ConditionSlot} from './conditions.ts';
import {adapterModels} from './generate.ts';
import {type LatentSize, latentShape} from './initial-latents.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {levelSizes} from './region-masks.ts';
import {haveEqualRows, type Row} from './rows.ts';
import type {Sample} from './samples.ts';

/** What decides which programs a generation runs, on which shapes. */
export interface PlanRequest {
  readonly slots: readonly ConditionSlot[];
  readonly samples: readonly Sample[];
  readonly rows: readonly Row[];
  readonly size: LatentSize;
  /** Evaluations of the UNet, whatever image to image leaves out. */
  readonly timesteps: number;
  readonly clipSkip: number;
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
    const text = this.#planText();
    const images = this.#request.slots.map((_, slot) => this.#planImages(slot));
    if (samples.some(({image}) => image !== undefined)) {
      this.#add(vae.encoder.plan({image: type('float32', 1, 3, size.height, size.width)}));
    }
    this.#planStep(text, images);
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

  #planText(): TensorType {
    const {textEncoder} = this.#models;
    const {clipSkip, rows} = this.#request;
    const tokens = textEncoder.tokenizer.modelMaxLength;
    const plan = (texts: number, skip: number) => {
      if (texts > 0) this.#add(textEncoder.hiddenStates(skip).plan({inputIds: type('int32', texts, tokens)}));
    };
    plan(lastStateTexts({textEncoder, adapters: this.#adapters}, rows, clipSkip).length, 0);
    if (clipSkip > 0) plan(new Set(rows.filter(row => row.isPrompt).map(row => row.text)).size, clipSkip);
    return type('float32', rows.length, tokens, textEncoder.config.hiddenSize);
  }

  /** One for each slot of conditions. */
  get #adapters(): AdapterModels[] {
    return this.#request.slots.map(({adapter}) => adapterModels(this.#models, adapter));
  }

  #planImages(slot: number): ImageTypes {
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
    const perRow = type('float32', rows.length, perSource * each, width);
    const keyValues = this.#add(projection.keyValues.plan({tokens: perRow}));
    const masks = slots[slot]!.mask === undefined ? undefined : this.#maskTypes();
    this.#held.push(...leaves(keyValues), ...(masks ?? []));
    const scales = type('float32', projection.layers.length, rows.length);
    return {keyValues, scales, ...(masks && {masks})};
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

  #planStep(encoderHiddenStates: TensorType, images: readonly ImageTypes[]): void {
    const {denoiser, vae, controlNets} = this.#models;
    const {samples, rows, size, usesControlNets, observesAttention} = this.#request;
    const batch = haveEqualRows(rows) ? samples.length : rows.length;
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
