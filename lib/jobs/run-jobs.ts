/**
 * Many jobs to the pictures of a folder. What is done is on the disk at once, and is passed over when the run begins anew.
 */
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError, IPAdapterError} from '../errors.ts';
import {hashOf} from '../files/hash-of.ts';
import {writeImage} from '../images/write-image.ts';
import {GenerationQueue, type Generator, isOwnFault} from './generation-queue.ts';
import {isDone, type JobLine, type JobLog, openJobLog} from './job-log.ts';
import type {Job} from './read-jobs.ts';

/** Where a run's pictures go, and how they are made. */
export interface RunJobsOptions {
  /** For pictures `ID.FORMAT`, and `results.jsonl`. It is made where it is not there. */
  readonly folder: string;
  /** Pictures that are made at once, at the most. */
  readonly batchSize: number;
  /** What pictures depend on beside their jobs, as a plain value: a job that was done with another is done again. */
  readonly origin?: unknown;
  /** Default: `png`. */
  readonly format?: 'png' | 'jpg' | 'webp';
  readonly signal?: AbortSignal | undefined;
  /** Called once at the beginning, and after each job. */
  readonly onProgress?: ((progress: JobsProgress) => void) | undefined;
  /** As that of `generate`. */
  readonly onWarning?: (message: string) => void;
}

/** How many jobs of a run are finished. */
export interface JobsProgress {
  /** Jobs that were done, by this run or an earlier one. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

/**
 * Does the jobs that were not done yet. One that fails is recorded, and tried again by the next run.
 *
 * @returns the line of each job, in their order
 * @throws FileError where a result cannot be written; DeviceError and what else is the fault of no job; the signal's reason
 */
export async function runJobs(
  generator: Generator,
  jobs: readonly Job[],
  options: RunJobsOptions,
): Promise<readonly JobLine[]> {
  const {folder, batchSize, onWarning, signal} = options;
  signal?.throwIfAborted();
  await mkdir(folder, {recursive: true}).catch((cause: Error) => {
    throw new FileError(`${folder}: cannot be made: ${cause.message}. Give another folder.`, {cause});
  });
  const log = await openJobLog(folder);
  const queue = new GenerationQueue(generator, {batchSize, ...(onWarning && {onWarning})});
  const abort = () => queue.abort(signal?.reason);
  signal?.addEventListener('abort', abort, {once: true});
  try {
    return await new JobRun(queue, log, options).run(jobs);
  } finally {
    signal?.removeEventListener('abort', abort);
    await queue.close();
  }
}

class JobRun {
  readonly #queue: GenerationQueue;
  readonly #log: JobLog;
  readonly #options: RunJobsOptions;
  #progress: JobsProgress = {done: 0, failed: 0, total: 0};

  constructor(queue: GenerationQueue, log: JobLog, options: RunJobsOptions) {
    this.#queue = queue;
    this.#log = log;
    this.#options = options;
  }

  async run(jobs: readonly Job[]): Promise<readonly JobLine[]> {
    const missing = jobs.filter(job => !this.#isDone(job));
    this.#count({done: jobs.length - missing.length, total: jobs.length});
    // All are waited for, so that nothing is written after a failure.
    const results = await Promise.allSettled(missing.map(job => this.#take(job)));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return jobs.map(({id}) => this.#log.get(id)!);
  }

  #isDone(job: Job): boolean {
    const line = this.#log.get(job.id);
    return line !== undefined && isDone(line) && line.settings === this.#settingsOf(job);
  }

  async #take(job: Job): Promise<void> {
    try {
      const line = await this.#do(job);
      await this.#log.add([line]);
      const {done, failed} = this.#progress;
      this.#count(isDone(line) ? {done: done + 1} : {failed: failed + 1});
    } catch (error) {
      this.#queue.abort(error);
      throw error;
    }
  }

  async #do(job: Job): Promise<JobLine> {
    const {folder, format = 'png'} = this.#options;
    const {id, given, options} = job;
    const common = {id, settings: this.#settingsOf(job)};
    if (options instanceof IPAdapterError) return {...common, error: errorOf(options)};
    const made = await this.#queue.submit(options).catch((error: unknown) => {
      if (isOwnFault(error)) return error as IPAdapterError;
      throw error;
    });
    if (made instanceof IPAdapterError) return {...common, error: errorOf(made)};
    const {image, seed} = made;
    const {width, height} = image!;
    const file = `${id}.${format}`;
    await writeImage(join(folder, file), image!, {parameters: {...given, id, seed}});
    return {...common, file, width, height, seed};
  }

  #settingsOf({given}: Job): string {
    const {origin, format} = this.#options;
    return hashOf([given, origin, format]);
  }

  #count(changed: Partial<JobsProgress>): void {
    this.#progress = {...this.#progress, ...changed};
    this.#options.onProgress?.(this.#progress);
  }
}

function errorOf({code, message}: IPAdapterError): {code: string; message: string} {
  return {code, message};
}
