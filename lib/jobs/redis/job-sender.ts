/**
 * The sender's side of a queue on Redis: puts jobs into it, and looks for their lines.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {type IPAdapterError, QueueError} from '../../errors.ts';
import {isOwnFault} from '../generation-queue.ts';
import {type JobLine, logLine} from '../job-log.ts';
import {failedLine, type JobMaker, type PictureFormat, type ValidJob} from '../job-run.ts';
import {importBullmq} from '../optional-packages.ts';
import type {RedisConnection} from './connection.ts';
import {baseOptions, type JobQueue, keyOf, optionsOf, type QueueJob} from './queue-job.ts';
import {queueNameOf} from './queue-models.ts';
import {QueuePictures} from './queue-pictures.ts';
import {packJob} from './sent-job.ts';

/** Between two looks for lines. */
const lookMilliseconds = 250;
/** Between two looks for jobs that are gone, and for workers, in looks for lines. */
const searchLooks = 20;
/** Between two times that pictures are kept from going, in looks for lines. */
const keepLooks = 4 * 60 * 60;

export interface SenderOptions {
  readonly connection: RedisConnection;
  readonly origin: unknown;
  readonly format: PictureFormat;
  readonly onWarning?: ((message: string) => void) | undefined;
}

interface Waiting {
  readonly job: ValidJob;
  readonly settings: string;
  readonly resolve: (line: JobLine) => void;
  readonly reject: (error: unknown) => void;
}

export class JobSender implements JobMaker {
  readonly #queue: JobQueue;
  readonly #pictures: QueuePictures;
  readonly #options: SenderOptions;
  /** Jobs that were sent, by their keys. */
  readonly #waiting = new Map<string, Waiting>();
  /** Jobs are sent one after the other: their order is that of the queue. */
  #lastSent: Promise<unknown> = Promise.resolve();
  #end: {readonly reason: unknown} | undefined;
  #isWarned = false;

  private constructor(queue: JobQueue, options: SenderOptions) {
    this.#queue = queue;
    this.#pictures = new QueuePictures(options.connection.redis);
    this.#options = options;
    // Failures of commands come as rejections too.
    queue.on('error', () => undefined);
  }

  /** @throws ArgumentError where BullMQ is not installed */
  static async open(options: SenderOptions): Promise<JobSender> {
    const {Queue} = await importBullmq();
    const {connection, origin} = options;
    const sender = new JobSender(new Queue(queueNameOf(origin), baseOptions(connection.redis)), options);
    sender.#watch().catch(error => sender.abort(error));
    return sender;
  }

  async make(job: ValidJob, settings: string): Promise<JobLine> {
    const sent = this.#lastSent.then(() => this.#send(job, settings));
    this.#lastSent = sent.catch(() => undefined);
    try {
      await sent;
    } catch (error) {
      if (isOwnFault(error)) return failedLine({id: job.id, settings}, error as IPAdapterError);
      throw error;
    }
    return new Promise((resolve, reject) => {
      if (this.#end === undefined) this.#waiting.set(keyOf(job.id), {job, settings, resolve, reject});
      else reject(this.#end.reason);
    });
  }

  /** What is recorded is not kept in Redis. */
  async recorded({id}: JobLine): Promise<void> {
    await this.#queue.remove(keyOf(id));
  }

  abort(reason: unknown): void {
    this.#end ??= {reason};
    for (const {reject} of this.#waiting.values()) reject(this.#end.reason);
    this.#waiting.clear();
  }

  /** Jobs that were sent stay in the queue. */
  async close(): Promise<void> {
    this.abort(new QueueError('queue: used after it was closed.'));
    await this.#queue.close();
  }

  async #send(job: ValidJob, settings: string): Promise<void> {
    this.#throwIfEnded();
    const {format} = this.#options;
    const sendPicture = (bytes: Uint8Array) => this.#pictures.send(bytes);
    const sent = await packJob(job, {settings, format, sendPicture});
    for (;;) {
      const earlier = await this.#queue.getJob(keyOf(job.id));
      // An earlier run sent it.
      if (earlier?.data.settings === settings) return;
      if (earlier === undefined) {
        await this.#queue.add('picture', sent, optionsOf(sent));
        return;
      }
      // An earlier version of the job: its picture must not take the place of this one's. While it is made it cannot go.
      await earlier.remove().catch(() => sleep(lookMilliseconds));
      this.#throwIfEnded();
    }
  }

  #throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end.reason;
  }

  async #watch(): Promise<void> {
    for (let look = 1; this.#end === undefined; look++) {
      await this.#takeLines();
      if (look % searchLooks === 0) await this.#search();
      if (look % keepLooks === 0) await this.#pictures.keepSent();
      await sleep(lookMilliseconds);
    }
  }

  async #takeLines(): Promise<void> {
    if (this.#waiting.size === 0) return;
    const finished = await this.#queue.getRanges(['completed', 'failed']);
    for (const key of finished) {
      const job = this.#waiting.has(key) ? await this.#queue.getJob(key) : undefined;
      if (job !== undefined) this.#waiting.get(key)?.resolve(this.#lineOf(job, this.#waiting.get(key)!));
      if (job !== undefined) this.#waiting.delete(key);
    }
  }

  #lineOf({returnvalue, failedReason, data}: QueueJob, {job: {id}, settings}: Waiting): JobLine {
    if (data.settings !== settings) {
      const message = `job '${id}': another job of this id was sent to the same workers. Give jobs ids of their own.`;
      return failedLine({id, settings}, new QueueError(message));
    }
    const line = logLine.safeParse(returnvalue);
    if (line.success) return line.data;
    return failedLine(
      {id, settings},
      new QueueError(`job '${id}': expected a worker to finish it, but ${failedReason ?? 'none did'}.`),
    );
  }

  /** Sends again what is gone: another sender of the same jobs has taken its line, or Redis was emptied. */
  async #search(): Promise<void> {
    const before = [...this.#waiting];
    if (before.length === 0) return;
    const states = ['active', 'completed', 'delayed', 'failed', 'prioritized', 'wait'] as const;
    const there = new Set(await this.#queue.getRanges([...states]));
    for (const [key, {job, settings}] of before) {
      if (!there.has(key) && this.#waiting.has(key)) await this.#send(job, settings);
    }
    if (this.#isWarned || (await this.#queue.getWorkersCount()) > 0) return;
    this.#isWarned = true;
    this.#options.onWarning?.(
      'no worker takes these jobs; they wait. Start one: ipai worker --queue …, with the models of these jobs.',
    );
  }
}
