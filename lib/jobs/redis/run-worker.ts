/**
 * A worker for jobs that come over a queue on Redis, until it is told to end.
 */
import {GenerationQueue, type Generator} from '../generation-queue.ts';
import type {JobLine} from '../job-log.ts';
import {openPictureStorage} from '../open-picture-storage.ts';
import {openConnection} from './connection.ts';
import {announceModels} from './queue-models.ts';
import {QueueWorker} from './queue-worker.ts';

/** For how long a job waits for others like it: they come one by one. */
const batchMilliseconds = 100;

/** Where jobs come from, and where their pictures go. */
export interface RunWorkerOptions {
  /** `redis://[[user]:password@]host[:port][/database]`, or `rediss:` for TLS: that of `sendJobs`. */
  readonly queue: string;
  /**
   * For pictures `ID.FORMAT`: a folder, which is made where it is not there, or `s3://BUCKET/PREFIX`, with credentials in
   * `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, and the server in `AWS_ENDPOINT_URL_S3` where it is not AWS's.
   */
  readonly output: string;
  /** Pictures that are made at once, at the most. */
  readonly batchSize: number;
  /** What pictures depend on beside their jobs, as a plain value: only jobs that are sent for it are taken. */
  readonly origin?: unknown;
  /** Ends the worker: jobs that are not finished go back to the queue at once. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each job. */
  readonly onLine?: (line: JobLine) => void;
  /** As that of `generate`; and told of tries that failed. */
  readonly onWarning?: (message: string) => void;
}

/**
 * Makes the pictures of jobs that `sendJobs` sends, until the signal is aborted. Any number of workers may share a queue.
 *
 * A job is done at least once: where a worker is lost, others take its jobs over after about ten seconds. A picture that is
 * stored whole is not made again. A job that fails by its own fault fails once; other failures are tried again, five times
 * at the most, by whichever worker comes first.
 *
 * Needs the packages bullmq and ioredis, for S3 aws4fetch, and Redis 6.2 or newer.
 *
 * @throws QueueError where Redis cannot be reached or is lost, after some seconds; FileError where pictures cannot be stored;
 *   DeviceError and other failures that are no job's fault, after several in a row; ArgumentError where a package is missing
 */
export async function runWorker(generator: Generator, options: RunWorkerOptions): Promise<void> {
  const {queue: url, output, batchSize, origin, signal, onLine, onWarning} = options;
  const queue = new GenerationQueue(generator, {
    batchSize,
    maxDelay: batchMilliseconds,
    ...(onWarning && {onWarning}),
  });
  const storage = await openPictureStorage(output);
  const connection = await openConnection(url);
  try {
    // The next batch waits while one is made.
    const concurrency = 2 * batchSize;
    const worker = await QueueWorker.open({
      ...{connection, origin, queue, storage, concurrency, onLine},
      onWarning,
    });
    try {
      const silence = await announceModels(connection.redis, origin, () => undefined);
      await Promise.race([aborted(signal), worker.failed]).finally(silence);
    } finally {
      await worker.close();
      await queue.close();
    }
  } catch (error) {
    throw connection.failure ?? error;
  } finally {
    connection.close();
  }
}

/** Without a signal, never. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise(resolve => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener('abort', () => resolve(), {once: true});
  });
}
