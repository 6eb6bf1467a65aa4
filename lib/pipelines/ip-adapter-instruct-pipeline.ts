/**
 * The pipeline: a prompt, a condition image and an instruction to pictures.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import {DisposedError} from '../errors.ts';
import {type GenerateResult, generate, samplesOf, schedulerOf, sizeOf} from './generate.ts';
import type {GenerateOptions} from './generate-options.ts';
import {loadModels} from './load-models.ts';
import type {LoadOptions, RandomOptions} from './load-options.ts';
import {estimateMemory, type MemoryEstimate} from './memory-estimate.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {type PlanRequest, planGeneration} from './plan-generation.ts';
import {randomModels} from './random-models.ts';
import {rowsOf} from './rows.ts';

export class IPAdapterInstructPipeline {
  readonly models: PipelineModels;
  readonly #running = new Set<Promise<unknown>>();
  #disposed = false;

  private constructor(models: PipelineModels) {
    this.models = models;
  }

  /**
   * Opens a base model, and the adapter, encoders and ControlNets that go with it. Weights are mapped, not read:
   * they are prepared when a generation comes to need them; see `keepModels` for which of them stay.
   *
   * @throws FileError, WeightsError, ArgumentError where something is missing or does not fit
   */
  static async load(options: LoadOptions): Promise<IPAdapterInstructPipeline> {
    return new IPAdapterInstructPipeline(await loadModels(options));
  }

  /** The same pipeline with random weights, to try or to time what needs no real picture. */
  static async random(options: RandomOptions = {}): Promise<IPAdapterInstructPipeline> {
    return new IPAdapterInstructPipeline(await randomModels(options));
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
    const run = generate(this.models, options);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }

  /** Results of many generations, one after the other; the next starts when its result is asked for. */
  async *generateMany(
    requests: Iterable<GenerateOptions> | AsyncIterable<GenerateOptions>,
  ): AsyncGenerator<GenerateResult> {
    for await (const request of requests) yield await this.generate(request);
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
    await Promise.allSettled(this.#running);
    await this.models.engine.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #planRequest(options: GenerateOptions): PlanRequest {
    const samples = samplesOf(this.models, options);
    return {
      samples,
      rows: rowsOf(samples),
      size: sizeOf(this.models, options),
      timesteps: schedulerOf(this.models, options).timesteps.length,
      clipSkip: options.clipSkip ?? 0,
      decodes: options.outputType !== 'latent',
      usesControlNets: options.controlImage !== undefined,
    };
  }

  #checkUsable(): void {
    if (this.#disposed) throw new DisposedError('pipeline: used after dispose(). Load it again.');
  }
}
