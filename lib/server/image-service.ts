/**
 * What the routes stand on: a queue before a pipeline that may still be loading, and an end to it.
 */
import {DisposedError, QueueFullError} from '../errors.ts';
import {GenerationQueue, type JobEvent} from '../jobs/generation-queue.ts';
import type {JobOptions} from '../jobs/job.ts';
import type {GeneratedImage} from '../pipelines/generate.ts';
import {Metrics} from './metrics.ts';
import type {ServedPipeline, ServerOptions, ServerSettings} from './server-options.ts';

export type ServicePhase = 'loading' | 'ready' | 'failed' | 'draining';

export interface MakeOptions<Made> {
  /** Takes all jobs back. */
  readonly signal: AbortSignal;
  /** @param job its place in the list */
  readonly onEvent: (job: number, event: JobEvent) => void;
  /** What is made of a picture, as soon as it is there. */
  readonly finish: (job: number, picture: GeneratedImage) => Promise<Made>;
}

export class ImageService {
  readonly settings: ServerSettings;
  readonly metrics: Metrics;
  #pipeline: ServedPipeline | undefined;
  #queue: GenerationQueue | undefined;
  #phase: ServicePhase = 'loading';
  #admitted = 0;

  constructor(pipeline: ServerOptions['pipeline'], settings: ServerSettings) {
    this.settings = settings;
    this.metrics = new Metrics(() => this.waiting);
    if (!(pipeline instanceof Promise)) this.#open(pipeline);
    else {
      pipeline.then(
        loaded => this.#open(loaded),
        () => {
          if (this.#phase === 'loading') this.#phase = 'failed';
        },
      );
    }
  }

  get phase(): ServicePhase {
    return this.#phase;
  }

  get waiting(): number {
    return this.#queue?.waiting ?? 0;
  }

  /** @throws DisposedError unless it is ready */
  get pipeline(): ServedPipeline {
    if (this.#pipeline !== undefined && this.#phase === 'ready') return this.#pipeline;
    throw notReady(this.#phase);
  }

  /**
   * Lets a request in, before its body is read: what waits, is made and is decoded fits, and a little to spare. So the
   * memory of bodies is bounded.
   *
   * @returns lets the next one in
   * @throws DisposedError unless it is ready; QueueFullError where too many are in
   */
  admit(): () => void {
    const {maxWaiting, batchSize} = this.settings;
    this.checkRoom(1);
    if (this.#admitted >= maxWaiting + 2 * batchSize) throw queueFull(maxWaiting);
    this.#admitted++;
    let isIn = true;
    return () => {
      if (isIn) this.#admitted--;
      isIn = false;
    };
  }

  /**
   * Whether all jobs of a request may wait: a comparison that lacks a picture is none.
   *
   * @throws DisposedError unless the server is ready; QueueFullError where they are too many
   */
  checkRoom(count: number): GenerationQueue {
    const {maxWaiting} = this.settings;
    if (this.#queue === undefined || this.#phase !== 'ready') throw notReady(this.#phase);
    if (this.#queue.waiting + count > maxWaiting) throw queueFull(maxWaiting);
    return this.#queue;
  }

  /**
   * Makes a picture of each job; where one fails, the others are taken back.
   *
   * @throws as `checkRoom`; what the first job that fails throws
   */
  async make<Made>(jobs: readonly JobOptions[], options: MakeOptions<Made>): Promise<Made[]> {
    const {signal, onEvent, finish} = options;
    const queue = this.checkRoom(jobs.length);
    signal.throwIfAborted();
    const controller = new AbortController();
    const takeBack = () => controller.abort(signal.reason);
    signal.addEventListener('abort', takeBack, {once: true});
    try {
      return await Promise.all(
        jobs.map(async (job, place) => {
          const onProgress = (event: JobEvent) => onEvent(place, event);
          return finish(place, await queue.submit(job, {signal: controller.signal, onProgress}));
        }),
      );
    } catch (error) {
      controller.abort(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', takeBack);
    }
  }

  /**
   * Takes no more jobs, and waits for those there are, but not for long.
   *
   * @param timeout in milliseconds, after which the rest is taken back
   */
  async drain(timeout: number): Promise<void> {
    this.#phase = 'draining';
    const timer = setTimeout(() => {
      this.#queue?.abort(new DisposedError('server: it ends, and this job took too long. Try another.'));
    }, timeout);
    await this.#queue?.close();
    clearTimeout(timer);
  }

  #open(pipeline: ServedPipeline): void {
    if (this.#phase !== 'loading') return;
    const {batchSize, maxDelay, maxWaiting} = this.settings;
    this.#pipeline = pipeline;
    this.#queue = new GenerationQueue(this.metrics.measure(pipeline), {batchSize, maxDelay, maxWaiting});
    this.metrics.watchDevice(pipeline.models.engine.device);
    this.#phase = 'ready';
  }
}

function queueFull(maxWaiting: number): QueueFullError {
  return new QueueFullError(`server: expected at most ${maxWaiting} jobs to wait. Try again later.`);
}

function notReady(phase: ServicePhase): DisposedError {
  return new DisposedError(`server: expected to be ready, but it is ${phase}. Try again later.`);
}
