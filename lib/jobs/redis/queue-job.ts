/**
 * How jobs lie in BullMQ's queues.
 */
import type {ConnectionOptions, Job, JobsOptions, Queue, Worker} from 'bullmq';
import type {Redis} from 'ioredis';
import type {JobLine} from '../job-log.ts';
import type {SentJob} from './sent-job.ts';

/** A job comes back as its line. */
export type QueueJob = Job<SentJob, JobLine>;
export type JobQueue = Queue<SentJob, JobLine>;
export type JobWorker = Worker<SentJob, JobLine>;

/** Of all keys of ours in Redis. */
const prefix = 'ipai';
/** How often a job is tried whose failures are not its own fault, and how often it is taken over from lost workers. */
export const attempts = 5;
/** Before the second try; twice as long before each further one. */
const backoffMilliseconds = 1000;
/** Results that nobody came for. */
const keepResultSeconds = 7 * 24 * 60 * 60;
/** BullMQ's priorities are positive, and the lowest goes first. */
const middlePriority = 2 ** 20;

/** Jobs of one name are one job: they would have one picture. BullMQ allows no bare number. */
export function keyOf(id: string): string {
  return `job-${id}`;
}

export function optionsOf({id, priority}: SentJob): JobsOptions {
  return {
    jobId: keyOf(id),
    priority: middlePriority - priority,
    attempts,
    backoff: {type: 'exponential', delay: backoffMilliseconds},
    removeOnComplete: {age: keepResultSeconds},
    removeOnFail: {age: keepResultSeconds},
  };
}

/** For queues and workers of BullMQ. It knows many clients by their shape; ioredis is one. */
export function baseOptions(redis: Redis) {
  return {connection: redis as unknown as ConnectionOptions, prefix};
}
