/**
 * Many jobs to the pictures of a folder. What is done is on the disk at once, and is passed over when the run begins anew.
 */
import {join} from 'node:path';
import {IPAdapterError} from '../errors.ts';
import {writeImage} from '../images/write-image.ts';
import {GenerationQueue, type Generator, isOwnFault} from './generation-queue.ts';
import type {JobLine} from './job-log.ts';
import {failedLine, type JobMaker, JobRun, type JobRunOptions, openRecord, type ValidJob} from './job-run.ts';
import type {Job} from './read-jobs.ts';

/** Where a run's pictures go, and how they are made. */
export interface RunJobsOptions extends JobRunOptions {
  /** For pictures `ID.FORMAT`, and `results.jsonl`. It is made where it is not there. */
  readonly folder: string;
  /** Pictures that are made at once, at the most. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
  /** As that of `generate`. */
  readonly onWarning?: (message: string) => void;
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
  const log = await openRecord(folder, {pictures: 'here'});
  const queue = new GenerationQueue(generator, {batchSize, ...(onWarning && {onWarning})});
  const maker = new LocalMaker(queue, options);
  const abort = () => maker.abort(signal?.reason);
  signal?.addEventListener('abort', abort, {once: true});
  try {
    return await new JobRun(maker, log, options).run(jobs);
  } finally {
    signal?.removeEventListener('abort', abort);
    await queue.close();
  }
}

/** Makes pictures in this process, and writes them to the folder. */
class LocalMaker implements JobMaker {
  readonly #queue: GenerationQueue;
  readonly #options: Pick<RunJobsOptions, 'folder' | 'format'>;

  constructor(queue: GenerationQueue, options: Pick<RunJobsOptions, 'folder' | 'format'>) {
    this.#queue = queue;
    this.#options = options;
  }

  async make({id, given, options, priority = 0}: ValidJob, settings: string): Promise<JobLine> {
    const {folder, format = 'png'} = this.#options;
    const made = await this.#queue.submit(options, {priority}).catch((error: unknown) => {
      if (isOwnFault(error)) return error as IPAdapterError;
      throw error;
    });
    if (made instanceof IPAdapterError) return failedLine({id, settings}, made);
    const {image, seed} = made;
    const {width, height} = image!;
    const file = `${id}.${format}`;
    const parameters = {...given, id, seed};
    await writeImage(join(folder, file), image!, {parameters, identifier: settings});
    return {id, settings, file, width, height, seed};
  }

  async recorded(): Promise<void> {}

  abort(reason: unknown): void {
    this.#queue.abort(reason);
  }
}
