/**
 * The pipeline: a prompt, a condition image and an instruction to pictures.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import {DisposedError} from '../errors.ts';
import {type GenerateResult, generate, samplesOf, schedulerOf, sizeOf, textReadingOf} from './generate.ts';
import type {GenerateOptions} from './generate-options.ts';
import {loadModels} from './load-models.ts';
import type {LoadOptions, RandomOptions} from './load-options.ts';
import {LoraAdapters, type LoraFile, type LoraOptions} from './lora-adapters.ts';
import {estimateMemory, type MemoryEstimate} from './memory-estimate.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {type PlanRequest, planGeneration} from './plan-generation.ts';
import {randomModels} from './random-models.ts';
import {rowsOf} from './rows.ts';
import {Turns} from './turns.ts';

/** A base model, its adapters, encoders and ControlNets on one device: made by `load` or `random`, freed by `dispose`. */
export class IPAdapterInstructPipeline {
  readonly #loras: LoraAdapters;
  readonly #turns = new Turns();
  #disposed = false;

  private constructor(models: PipelineModels) {
    this.#loras = new LoraAdapters(models);
  }

  /** With the active LoRAs in their weights. */
  get models(): PipelineModels {
    return this.#loras.models;
  }

  /**
   * Opens a base model, and the adapter, encoders and ControlNets that go with it. Weights are mapped, not read:
   * they are prepared when a generation comes to need them; see `keepModels` for which of them stay.
   *
   * @throws FileError, WeightsError, ArgumentError where something is missing or does not fit
   */
  static async load(options: LoadOptions): Promise<IPAdapterInstructPipeline> {
    return IPAdapterInstructPipeline.#create(await loadModels(options), options);
  }

  /** The same pipeline with random weights, to try or to time what needs no real picture. */
  static async random(options: RandomOptions = {}): Promise<IPAdapterInstructPipeline> {
    return IPAdapterInstructPipeline.#create(await randomModels(options), options);
  }

  static async #create(
    models: PipelineModels,
    {loras = []}: {readonly loras?: readonly LoraFile[]},
  ): Promise<IPAdapterInstructPipeline> {
    const pipeline = new IPAdapterInstructPipeline(models);
    for (const {path, ...options} of loras) await pipeline.loadLoraWeights(path, options);
    return pipeline;
  }

  /**
   * Makes pictures; all samples run as one batch, and each gets what it would get alone. Calls at the same time take
   * turns on the device and share weights.
   *
   * @throws ArgumentError, FileError for bad options before any long work; the signal's reason on abort; NumericError
   *   where a prediction is not finite
   */
  async generate(options: GenerateOptions): Promise<GenerateResult> {
    this.#checkUsable();
    return this.#turns.shared(() => generate(this.models, options));
  }

  /** Results of many generations, one after the other; the next starts when its result is asked for. */
  async *generateMany(
    requests: Iterable<GenerateOptions> | AsyncIterable<GenerateOptions>,
  ): AsyncGenerator<GenerateResult> {
    for await (const request of requests) yield await this.generate(request);
  }

  /**
   * Adds a LoRA's updates to the weights of the UNet and the text encoder, when these are prepared the next time. It is
   * active beside those that are; running generations finish first.
   *
   * @param path a file of diffusers (PEFT) or kohya, with linear layers and convolutions
   * @throws FileError, WeightsError where it is none, or one for another base model: one error lists all tensors that
   *   fit no layer; ArgumentError where the name is taken
   */
  async loadLoraWeights(path: string, options: LoraOptions = {}): Promise<void> {
    this.#checkUsable();
    await this.#turns.alone(() => this.#loras.load(path, options));
  }

  /**
   * Makes these loaded LoRAs active, and no others.
   *
   * @param adapterWeights one for all, or one each; default 1
   * @throws ArgumentError where one is not loaded
   */
  async setAdapters(
    adapterNames: string | readonly string[],
    adapterWeights: number | readonly number[] = 1,
  ): Promise<void> {
    this.#checkUsable();
    const names = [adapterNames].flat();
    const weights = typeof adapterWeights === 'number' ? names.map(() => adapterWeights) : adapterWeights;
    await this.#turns.alone(() => this.#loras.set(names, weights));
  }

  /** Takes loaded LoRAs away. @throws ArgumentError where one is not loaded */
  async deleteAdapters(adapterNames: string | readonly string[]): Promise<void> {
    this.#checkUsable();
    await this.#turns.alone(() => this.#loras.delete([adapterNames].flat()));
  }

  /** Takes all LoRAs away: the weights are those of the files again, bit for bit. */
  async unloadLoraWeights(): Promise<void> {
    this.#checkUsable();
    await this.#turns.alone(() => this.#loras.delete(this.#loras.names));
  }

  /** Names of the loaded LoRAs. */
  getListAdapters(): string[] {
    return this.#loras.names;
  }

  /** Names of the active ones. */
  getActiveAdapters(): string[] {
    return this.#loras.active;
  }

  /** The memory that a generation will take, before anything runs. */
  estimateMemory(options: GenerateOptions): MemoryEstimate {
    this.#checkUsable();
    return estimateMemory(this.models, this.#planRequest(options));
  }

  /** The programs of a generation with their graphs and memory plans; nothing is loaded or run. */
  plan(options: GenerateOptions): readonly FunctionPlan[] {
    this.#checkUsable();
    return planGeneration(this.models, this.#planRequest(options)).programs;
  }

  /** Frees everything; running generations finish first. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#turns.idle();
    await this.models.engine.dispose();
  }

  /** For `await using`: as `dispose`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #planRequest(options: GenerateOptions): PlanRequest {
    const {slots, samples} = samplesOf(this.models, options);
    const reading = textReadingOf(options);
    return {
      slots,
      samples,
      rows: rowsOf(samples, reading.promptSyntax),
      reading,
      size: sizeOf(this.models, options),
      timesteps: schedulerOf(this.models, options).timesteps.length,
      decodes: options.outputType !== 'latent',
      usesControlNets: options.controlImage !== undefined,
      observesAttention: options.attentionMaps === true,
    };
  }

  #checkUsable(): void {
    if (this.#disposed) throw new DisposedError('pipeline: used after dispose(). Load it again.');
  }
}
