/**
 * Many jobs to the workers of a queue on Redis, and their lines to a record like that of a run on this machine.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {ArgumentError} from '../../errors.ts';
import {signatureOf} from '../job.ts';
import type {JobLine} from '../job-log.ts';
import {JobRun, type JobRunOptions, openRecord} from '../job-run.ts';
import type {Job} from '../read-jobs.ts';
import {openConnection, type RedisConnection} from './connection.ts';
import {JobSender} from './job-sender.ts';
import {announcedModels} from './queue-models.ts';

/** Between two looks for a worker, where there is none. */
const lookMilliseconds = 500;

/** Where jobs are sent, and where what became of them is recorded. */
export interface SendJobsOptions extends JobRunOptions {
  /** `redis://[[user]:password@]host[:port][/database]`, or `rediss:` for TLS: that of `runWorker`. */
  readonly queue: string;
  /** For `results.jsonl`. It is made where it is not there. Pictures are where the workers put them. */
  readonly folder: string;
  /** As that of the workers who are to make the pictures. Default: that of the workers there are. */
  readonly origin?: unknown;
  /** Ends the waiting. Jobs that were sent stay in the queue. */
  readonly signal?: AbortSignal | undefined;
  /** Told where there are no workers. */
  readonly onWarning?: (message: string) => void;
}

/**
 * As `runJobs`, but the pictures are made by workers: see `runWorker`. The bytes of condition images go with the jobs. What
 * is recorded is not sent again; what is in the queue from an earlier run, or done there, is not done twice. The ids of
 * jobs that go to the same workers name their pictures, and must differ.
 *
 * Needs the packages bullmq and ioredis, and Redis 6.2 or newer.
 *
 * @returns the line of each job, in their order
 * @throws QueueError where Redis cannot be reached or is lost, after some seconds; FileError where a line cannot be written;
 *   ArgumentError where a package is missing, or there are workers with several models and no `origin`; the signal's reason
 */
export async function sendJobs(jobs: readonly Job[], options: SendJobsOptions): Promise<readonly JobLine[]> {
  const {queue, folder, format = 'png', signal, onWarning} = options;
  signal?.throwIfAborted();
  const log = await openRecord(folder, {pictures: 'elsewhere'});
  const connection = await openConnection(queue);
  try {
    const origin = 'origin' in options ? options.origin : await originOfWorkers(connection, options);
    const sender = await JobSender.open({connection, origin, format, onWarning});
    connection.onLost = failure => sender.abort(failure);
    const abort = () => sender.abort(signal?.reason);
    signal?.addEventListener('abort', abort, {once: true});
    try {
      await new JobRun(sender, log, {...options, origin}).run(inOrderOfSending(jobs));
    } finally {
      signal?.removeEventListener('abort', abort);
      await sender.close();
    }
    return jobs.map(({id}) => log.get(id)!);
  } catch (error) {
    throw connection.failure ?? error;
  } finally {
    connection.close();
  }
}

/** Waits for a worker, if there is none yet. */
async function originOfWorkers(
  {redis}: RedisConnection,
  {signal, onWarning}: SendJobsOptions,
): Promise<unknown> {
  for (let look = 0; ; look++) {
    const [origin, ...others] = await announcedModels(redis).then(origins => origins.map(one => ({one})));
    if (others.length > 0) {
      throw new ArgumentError(
        `queue: expected workers of one model, but there are some of ${others.length + 1}. Say which: in a command line by ` +
          'the same --model and other options of models that the workers have.',
      );
    }
    if (origin !== undefined) return origin.one;
    if (look === 0) onWarning?.('no worker is there yet; waiting for one. Start it: ipai worker --queue …');
    await sleep(lookMilliseconds);
    signal?.throwIfAborted();
  }
}

/** Jobs that can share a batch follow each other, so that workers meet them together. */
function inOrderOfSending(jobs: readonly Job[]): Job[] {
  const groups = new Map<string, Job[]>();
  for (const job of jobs) {
    const signature = job.options instanceof ArgumentError ? '' : signatureOf(job.options);
    const group = groups.get(signature) ?? [];
    groups.set(signature, group);
    group.push(job);
  }
  return [...groups.values()].flat();
}
