/**
 * A run of jobs: what is done already is passed over, and what becomes of each job is recorded at once.
 */
import {mkdir} from 'node:fs/promises';
import {FileError, IPAdapterError} from '../errors.ts';
import {hashOf} from '../files/hash-of.ts';
import type {JobOptions} from './job.ts';
import {type FailedLine, isDone, type JobLine, type JobLog, openJobLog} from './job-log.ts';
import type {Job} from './read-jobs.ts';

/** What a run of jobs takes, wherever their pictures are made. */
export interface JobRunOptions {
  /** What pictures depend on beside their jobs, as a plain value: a job that was done with another is done again. */
  readonly origin?: unknown;
  /** Default: `png`. */
  readonly format?: PictureFormat;
  /** Called once at the beginning, and after each job. */
  readonly onProgress?: ((progress: JobsProgress) => void) | undefined;
}

/** How a job's picture is written: the ending of its file. */
export type PictureFormat = (typeof pictureFormats)[number];
export const pictureFormats = ['png', 'jpg', 'webp'] as const;

/** How many jobs of a run are finished. */
export interface JobsProgress {
  /** Jobs that were done, by this run or an earlier one. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

/** A job whose line was understood. */
export interface ValidJob extends Job {
  readonly options: JobOptions;
}

/** Has pictures made: here, or elsewhere. */
export interface JobMaker {
  /**
   * @param settings hash of all that the picture depends on
   * @returns the job's line, when its picture is stored
   * @throws what is the fault of no job, and ends the run
   */
  make(job: ValidJob, settings: string): Promise<JobLine>;
  /** Called when the line is on the disk. */
  recorded(line: JobLine): Promise<void>;
  /** Ends all jobs with this reason. */
  abort(reason: unknown): void;
}

/**
 * The record of a folder, which is made where it is not there.
 *
 * @throws FileError where it cannot be made, read or written
 */
export async function openRecord(folder: string, options: {pictures: 'here' | 'elsewhere'}): Promise<JobLog> {
  await mkdir(folder, {recursive: true}).catch((cause: Error) => {
    throw new FileError(`${folder}: cannot be made: ${cause.message}. Give another folder.`, {cause});
  });
  return openJobLog(folder, options);
}

/** The line of a job that failed. */
export function failedLine(job: Pick<FailedLine, 'id' | 'settings'>, error: IPAdapterError): FailedLine {
  const {id, settings} = job;
  const {code, message} = error;
  return {id, settings, error: {code, message}};
}

export class JobRun {
  readonly #maker: JobMaker;
  readonly #log: JobLog;
  readonly #options: JobRunOptions;
  #progress: JobsProgress = {done: 0, failed: 0, total: 0};

  constructor(maker: JobMaker, log: JobLog, options: JobRunOptions) {
    this.#maker = maker;
    this.#log = log;
    this.#options = options;
  }

  /**
   * Does the jobs that were not done yet.
   *
   * @returns the line of each job, in their order
   */
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
      const line = await this.#lineOf(job);
      await this.#log.add([line]);
      await this.#maker.recorded(line);
      const {done, failed} = this.#progress;
      this.#count(isDone(line) ? {done: done + 1} : {failed: failed + 1});
    } catch (error) {
      this.#maker.abort(error);
      throw error;
    }
  }

  async #lineOf(job: Job): Promise<JobLine> {
    const {id, options} = job;
    const settings = this.#settingsOf(job);
    if (options instanceof IPAdapterError) return failedLine({id, settings}, options);
    return this.#maker.make({...job, options}, settings);
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
