/**
 * The programs of a generation with the shapes that they run on, known before anything is loaded or run.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import type {TensorType} from '../graph/tensor.ts';
import {flattenTree, type Tree} from '../graph/tree.ts';
import {crossAttentionLayers} from '../models/unet.ts';
import type {DType} from '../runtime/dtype.ts';
import {type AdapterModels, lastStateTexts, readTokens} from './conditioning.ts';
import {type LatentSize, latentShape} from './initial-latents.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {haveEqualRows, type Row} from './rows.ts';
import type {Sample} from './samples.ts';

/** What decides which programs a generation runs, on which shapes. */
export interface PlanRequest {
  readonly samples: readonly Sample[];
  readonly rows: readonly Row[];
  readonly size: LatentSize;
  /** Evaluations of the UNet, whatever image to image leaves out. */
  readonly timesteps: number;
  readonly clipSkip: number;
  readonly decodes: boolean;
  readonly usesControlNets: boolean;
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

type KeyValueTypes = {readonly key: TensorType; readonly value: TensorType};

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
    const imageKeyValues = this.#planAdapter();
    if (samples.some(({image}) => image !== undefined)) {
      this.#add(vae.encoder.plan({image: type('float32', 1, 3, size.height, size.width)}));
    }
    this.#planStep(text, imageKeyValues);
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
    plan(lastStateTexts(this.#models, rows, clipSkip).length, 0);
    if (clipSkip > 0) plan(new Set(rows.filter(row => row.isPrompt).map(row => row.text)).size, clipSkip);
    return type('float32', rows.length, tokens, textEncoder.config.hiddenSize);
  }

  /** Types of the image keys and values; undefined where no sample has a condition image. */
  #planAdapter(): readonly KeyValueTypes[] | undefined {
    const {adapter} = this.#models;
    const {rows, samples} = this.#request;
    if (adapter === undefined || !readTokens(rows)) return undefined;
    const images = new Set(samples.map(sample => sample.ipAdapterImage)).size;
    const {imageSize, numChannels} = adapter.imageEncoder.config;
    const {adapter: projection, imageEncoder} = adapter;
    const features = imageEncoder.compiled(projection.features);
    const encoded = this.#add(
      features.plan({pixelValues: type('float32', images, numChannels, imageSize, imageSize)}),
    );
    const tokens = this.#planTokens(adapter, encoded.shape.slice(1));
    const perRow = type('float32', rows.length, ...tokens.shape.slice(1));
    const keyValues = this.#add(projection.keyValues.plan({tokens: perRow}));
    this.#held.push(...leaves(keyValues));
    return keyValues;
  }

  #planTokens({adapter, instructionEncoder}: AdapterModels, featureShape: readonly number[]): TensorType {
    const {textEncoder} = this.#models;
    // As many as rows at the most; rows of equal image and texts share theirs.
    const count = this.#request.rows.length;
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
    const subtracts = this.#request.samples.some(sample => sample.negContentPrompt !== '');
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

  #planStep(encoderHiddenStates: TensorType, imageKeyValues: readonly KeyValueTypes[] | undefined): void {
    const {denoiser, vae, controlNets} = this.#models;
    const {samples, rows, size, usesControlNets} = this.#request;
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
    const layers = crossAttentionLayers(denoiser.config).length;
    const adapter =
      imageKeyValues === undefined ? {} : {imageKeyValues, imageScales: type('float32', layers, rows.length)};
    this.#add(
      denoiser.step(active).plan({
        sample: type('float32', batch, denoiser.config.inChannels, height!, width!),
        timeProjections: row,
        textKeyValues,
        ...adapter,
        ...(controls.length > 0 && {controls}),
      }),
    );
  }
}
