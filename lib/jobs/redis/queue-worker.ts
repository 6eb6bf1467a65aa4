/**
 * The worker's side of a queue on Redis: takes jobs, has their pictures made in batches, stores them, gives lines back.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {InternalError, IPAdapterError} from '../../errors.ts';
import {encodeImage} from '../../images/write-image.ts';
import {type GenerationQueue, isOwnFault} from '../generation-queue.ts';
import type {JobLine} from '../job-log.ts';
import {failedLine} from '../job-run.ts';
import {importBullmq} from '../optional-packages.ts';
import type {PictureStorage} from '../picture-storage.ts';
import {storedPicture} from '../stored-picture.ts';
import type {RedisConnection} from './connection.ts';
import {attempts, baseOptions, type JobWorker, type QueueJob} from './queue-job.ts';
import {queueNameOf} from './queue-models.ts';
import {QueuePictures} from './queue-pictures.ts';
import {readSentJob, type SentJob, unpackOptions} from './sent-job.ts';

/** A worker that does not renew its hold on a job for so long is lost. */
const lockMilliseconds = 10_000;
/** Between two looks for jobs of lost workers, which are taken over at the second. */
const stalledMilliseconds = 5000;
/** For how long a worker waits for a job in one command; it ends after that at the latest where Redis is gone. */
const waitSeconds = 0.5;
/** For giving jobs back at the end. */
const closeMilliseconds = 5000;
/** Failures in a row that are no job's fault, after which the fault is the worker's. */
const maxFailures = 8;

const ending = 'The worker ends.';

export interface WorkerParts {
  readonly connection: RedisConnection;
  readonly origin: unknown;
  readonly queue: GenerationQueue;
  readonly storage: PictureStorage;
  /** Jobs that are taken at a time. */
  readonly concurrency: number;
  readonly onLine?: ((line: JobLine) => void) | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

export class QueueWorker {
  readonly #parts: WorkerParts;
  readonly #pictures: QueuePictures;
  #worker!: JobWorker;
  #waitingError!: new () => Error;
  #failures = 0;
  #isEnding = false;
  /** Rejects where the worker cannot go on. */
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => {};

  private constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#pictures = new QueuePictures(parts.connection.redis);
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** @throws ArgumentError where BullMQ is not installed */
  static async open(parts: WorkerParts): Promise<QueueWorker> {
    const {Worker, WaitingError} = await importBullmq();
    const {connection, origin, concurrency, onWarning} = parts;
    const own = new QueueWorker(parts);
    own.#waitingError = WaitingError;
    own.#worker = new Worker(queueNameOf(origin), (job: QueueJob, token) => own.#do(job, token!), {
      ...baseOptions(connection.redis),
      concurrency,
      lockDuration: lockMilliseconds,
      stalledInterval: stalledMilliseconds,
      maxStalledCount: attempts,
      drainDelay: waitSeconds,
    });
    let last: string | undefined;
    own.#worker.on('error', ({message}) => {
      // A Redis that is away is looked for again and again.
      if (!own.#isEnding && message !== last) onWarning?.(`queue: ${message}`);
      last = message;
    });
    connection.onLost = failure => {
      // Before commands fail, or BullMQ would wait for a while before it tries them again.
      own.#isEnding = true;
      own.#worker.close(true).catch(() => undefined);
      own.#fail(failure);
    };
    return own;
  }

  /** Gives jobs back that are not finished, and takes no more. */
  async close(): Promise<void> {
    this.#isEnding = true;
    const {connection, queue} = this.#parts;
    const worker = this.#worker;
    queue.abort(new Error(ending));
    const closed = worker.close().catch(() => undefined);
    const timer = new AbortController();
    const patience = sleep(closeMilliseconds, undefined, {signal: timer.signal}).catch(() => undefined);
    await Promise.race([closed, patience]);
    timer.abort();
    // What BullMQ has not closed would keep the process alive.
    const blocking = await worker.getBackend().blockingClient?.catch(() => undefined);
    blocking?.disconnect();
    connection.close();
  }

  /** @returns what BullMQ keeps as the job's result */
  async #do(job: QueueJob, token: string): Promise<JobLine> {
    try {
      const line = await this.#lineOf(readSentJob(job.data));
      this.#failures = 0;
      this.#parts.onLine?.(line);
      return line;
    } catch (error) {
      if (!this.#isEnding) return this.#failedTry(job, error);
      await job.moveToWait(token);
      throw new this.#waitingError();
    }
  }

  async #lineOf(sent: SentJob): Promise<JobLine> {
    const {id, settings, format, seed} = sent;
    const {storage} = this.#parts;
    const file = `${id}.${format}`;
    const stored = await storage.read(file);
    const size = stored && (await storedPicture(stored, settings));
    if (size !== undefined) return {id, settings, file, ...size, seed};
    const made = await this.#make(sent, file).catch((error: unknown) => {
      if (isOwnFault(error)) return error as IPAdapterError;
      throw error;
    });
    if (made instanceof IPAdapterError) return failedLine(sent, made);
    const {bytes, width, height} = made;
    await storage.write(file, bytes);
    return {id, settings, file, width, height, seed};
  }

  async #make(sent: SentJob, file: string) {
    const {id, settings, priority, given} = sent;
    const options = await unpackOptions(sent, hash => this.#pictures.read(hash));
    // What comes to the queue after it was aborted would be made.
    if (this.#isEnding) throw new Error(ending);
    const {image, seed} = await this.#parts.queue.submit(options, {priority});
    const parameters = {...given, id, seed};
    const bytes = await encodeImage(file, image!, {parameters, identifier: settings});
    return {bytes, width: image!.width, height: image!.height};
  }

  /** A failure that is no job's fault: another try, here or elsewhere, may do better. */
  #failedTry({data, attemptsMade}: QueueJob, error: unknown): JobLine {
    const {message} = error as Error;
    const tries = attemptsMade + 1;
    this.#parts.onWarning?.(`job '${data.id}': try ${tries} of ${attempts} failed: ${message}`);
    if (++this.#failures >= maxFailures) this.#fail(error);
    if (tries < attempts) throw error;
    return failedLine(data, error instanceof IPAdapterError ? error : new InternalError(`${message}.`));
  }
}
