/**
 * Jobs to batches: a pipeline is kept busy with generations of as many like jobs as there are, and none waits for long.
 */
import {randomInt} from 'node:crypto';
import {
  ArgumentError,
  DisposedError,
  FileError,
  NumericError,
  OutOfMemoryError,
  QueueFullError,
} from '../errors.ts';
import type {GeneratedImage, GenerateResult} from '../pipelines/generate.ts';
import {
  checkInteger,
  checkRange,
  type GenerateEvent,
  type GenerateOptions,
} from '../pipelines/generate-options.ts';
import {gatherRows, type HostTensor} from '../pipelines/host-tensor.ts';
import {generationOf, type JobOptions, signatureOf} from './job.ts';

/** How large batches are, and how long jobs wait for them. */
export interface QueueOptions {
  /** Pictures that are made at once, at the most. */
  readonly batchSize: number;
  /** For how long a job waits for others like it, in milliseconds, while its batch is not full. Default: 0. */
  readonly maxDelay?: number;
  /** Jobs that wait, at the most: more are refused. Default: no limit. */
  readonly maxWaiting?: number;
  /** As that of `generate`. */
  readonly onWarning?: (message: string) => void;
}

/** What becomes of a job: its batch begins, and each of its steps. */
export type JobEvent =
  | {readonly type: 'start'; readonly batchSize: number}
  | {
      readonly type: 'step';
      readonly step: number;
      readonly totalSteps: number;
      /** As that of a generation's step, of this job alone: [1, C, h, w]. */
      readonly predOriginalSample: () => HostTensor;
    };

/** What may be said of one job beside the options of its picture. */
export interface SubmitOptions {
  /** Takes the job back, also while it is made. A batch ends when all of its jobs were taken back. */
  readonly signal?: AbortSignal | undefined;
  /** Where this throws, the job fails with what it throws. */
  readonly onProgress?: ((event: JobEvent) => void) | undefined;
  /** Jobs of higher priority go first. Default: 0. */
  readonly priority?: number;
}

/** What the queue needs of a pipeline. */
export interface Generator {
  /** As that of the pipeline. */
  generate(options: GenerateOptions): Promise<GenerateResult>;
}

interface Entry {
  readonly options: JobOptions;
  readonly priority: number;
  /** When it came, as `performance.now` has it. */
  readonly since: number;
  readonly onProgress: ((event: JobEvent) => void) | undefined;
  readonly resolve: (image: GeneratedImage) => void;
  readonly reject: (error: unknown) => void;
  isTakenBack: boolean;
  /** Ends the generation that makes it, if nobody else wants that. */
  leaveBatch?: (reason: unknown) => void;
}

/** Whether an error may be the fault of one job alone, so that others are worth trying. */
export function isOwnFault(error: unknown): boolean {
  return [ArgumentError, FileError, NumericError, OutOfMemoryError].some(fault => error instanceof fault);
}

/** Makes batches of like jobs as they come, and keeps a pipeline busy with them; see `submit`. */
export class GenerationQueue {
  readonly #generator: Generator;
  readonly #settings: Required<Omit<QueueOptions, 'onWarning'>>;
  readonly #onWarning: {readonly onWarning?: (message: string) => void};
  /** Waiting jobs by their signatures, in the order in which they go. */
  readonly #groups = new Map<string, Entry[]>();
  readonly #running = new Set<Promise<void>>();
  /** End the generations that run. */
  readonly #controllers = new Set<AbortController>();
  #waiting = 0;
  /** Batches whose latents are not finished. With none, the next begins, beside the decoding of the last. */
  #denoising = 0;
  #isScheduled = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  /** @throws ArgumentError for sizes and times that no queue can have */
  constructor(generator: Generator, options: QueueOptions) {
    const {batchSize, maxDelay = 0, maxWaiting = Infinity, onWarning} = options;
    this.#generator = generator;
    this.#settings = {
      batchSize: checkInteger('batchSize', batchSize, 1),
      maxDelay: checkRange('maxDelay', maxDelay, 0),
      maxWaiting: checkRange('maxWaiting', maxWaiting, 1),
    };
    this.#onWarning = onWarning === undefined ? {} : {onWarning};
  }

  /** How many jobs wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Makes the picture of a job. Jobs that are submitted in one turn of the event loop are looked at together.
   *
   * @throws QueueFullError where too many wait; DisposedError after `close`; what `generate` throws for this job; the
   *   signal's reason
   */
  async submit(options: JobOptions, submitOptions: SubmitOptions = {}): Promise<GeneratedImage> {
    const {signal, onProgress, priority = 0} = submitOptions;
    const {maxWaiting} = this.#settings;
    signal?.throwIfAborted();
    if (this.#isClosed) throw new DisposedError('queue: used after close(). Make another.');
    if (this.#waiting >= maxWaiting) {
      throw new QueueFullError(
        `queue: expected at most ${maxWaiting} jobs to wait, and as many do. Try again later.`,
      );
    }
    const seeded = {...options, seed: options.seed ?? randomInt(2 ** 32)};
    const common = {options: seeded, priority, onProgress, since: performance.now(), isTakenBack: false};
    let leave = () => {};
    try {
      return await new Promise<GeneratedImage>((resolve, reject) => {
        const entry: Entry = {...common, resolve, reject};
        leave = () => this.#leave(entry, signal?.reason);
        signal?.addEventListener('abort', leave, {once: true});
        this.#enter(entry);
      });
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Takes no more jobs, and waits for those there are. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#waiting > 0 || this.#running.size > 0) {
      this.#schedule();
      await new Promise(resolve => setImmediate(resolve));
      await Promise.all(this.#running);
    }
  }

  /** Ends all jobs, those that wait and those that are made, with this reason; others may follow. */
  abort(reason: unknown): void {
    for (const entry of [...this.#groups.values()].flat()) {
      entry.isTakenBack = true;
      entry.reject(reason);
    }
    this.#groups.clear();
    this.#waiting = 0;
    for (const controller of this.#controllers) controller.abort(reason);
  }

  #enter(entry: Entry): void {
    const signature = signatureOf(entry.options);
    const group = this.#groups.get(signature) ?? [];
    this.#groups.set(signature, group);
    const before = group.findLastIndex(({priority}) => priority >= entry.priority);
    group.splice(before + 1, 0, entry);
    this.#waiting++;
    this.#schedule();
  }

  #leave(entry: Entry, reason: unknown): void {
    entry.isTakenBack = true;
    entry.reject(reason);
    entry.leaveBatch?.(reason);
    for (const [signature, group] of this.#groups) {
      const place = group.indexOf(entry);
      if (place >= 0) this.#take(signature, group, place, 1);
    }
  }

  /** Takes jobs out of a group. */
  #take(signature: string, group: Entry[], place: number, count: number): Entry[] {
    const taken = group.splice(place, count);
    if (group.length === 0) this.#groups.delete(signature);
    this.#waiting -= taken.length;
    return taken;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#startNext();
    });
  }

  #startNext(): void {
    clearTimeout(this.#timer);
    if (this.#denoising > 0 || this.#groups.size === 0) return;
    const now = performance.now();
    const groups = [...this.#groups];
    const ready = groups.filter(([, group]) => this.#dueAt(group) <= now);
    if (ready.length === 0) {
      const next = Math.min(...groups.map(([, group]) => this.#dueAt(group)));
      this.#timer = setTimeout(() => this.#startNext(), next - now);
      return;
    }
    const [signature, group] = ready.reduce((a, b) => (goesBefore(b[1][0]!, a[1][0]!) ? b : a));
    const entries = this.#take(signature, group, 0, this.#settings.batchSize);
    const running = this.#run(entries).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** When a group's next batch begins at the latest, if nothing else runs. */
  #dueAt(group: readonly Entry[]): number {
    const {batchSize, maxDelay} = this.#settings;
    return group.length >= batchSize || this.#isClosed ? 0 : group[0]!.since + maxDelay;
  }

  /** Never rejects: its jobs do. */
  async #run(entries: readonly Entry[]): Promise<void> {
    const wanted = entries.filter(({isTakenBack}) => !isTakenBack);
    if (wanted.length === 0) return;
    try {
      const images = await this.#generate(wanted);
      for (const [index, {resolve}] of wanted.entries()) resolve(images[index]!);
    } catch (error) {
      if (wanted.length > 1 && isOwnFault(error)) {
        // In halves, down to the job whose fault it is.
        const half = Math.ceil(wanted.length / 2);
        await this.#run(wanted.slice(0, half));
        await this.#run(wanted.slice(half));
      } else for (const {reject} of wanted) reject(error);
    }
  }

  async #generate(entries: readonly Entry[]): Promise<readonly GeneratedImage[]> {
    const controller = new AbortController();
    this.#controllers.add(controller);
    const wanted = new Set(entries);
    const tell = (eventOf: (place: number) => JobEvent) => {
      for (const [place, entry] of entries.entries()) {
        if (!wanted.has(entry)) continue;
        try {
          entry.onProgress?.(eventOf(place));
        } catch (error) {
          // A listener that throws fails its own job and no other.
          this.#leave(entry, error);
        }
      }
    };
    for (const entry of entries) {
      entry.leaveBatch = reason => {
        wanted.delete(entry);
        if (wanted.size === 0) controller.abort(reason);
      };
    }
    let isDenoising = true;
    this.#denoising++;
    const denoised = () => {
      if (!isDenoising) return;
      isDenoising = false;
      this.#denoising--;
      this.#schedule();
    };
    const onProgress = (event: GenerateEvent) => {
      if (event.type === 'decode') denoised();
      if (event.type === 'step') {
        const {step, totalSteps, predOriginalSample} = event;
        tell(place => ({
          type: 'step',
          step,
          totalSteps,
          predOriginalSample: () => gatherRows(predOriginalSample(), [place]),
        }));
      }
    };
    tell(() => ({type: 'start', batchSize: entries.length}));
    try {
      const {images} = await this.#generator.generate({
        ...generationOf(entries.map(({options}) => options)),
        ...this.#onWarning,
        signal: controller.signal,
        onProgress,
      });
      return images;
    } finally {
      this.#controllers.delete(controller);
      denoised();
    }
  }
}

function goesBefore(a: Entry, b: Entry): boolean {
  return a.priority === b.priority ? a.since < b.since : a.priority > b.priority;
}
