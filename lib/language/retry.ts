/**
 * Requests that fail for a while.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {LanguageModelError} from '../errors.ts';

const firstPauseSeconds = 0.5;
const longestPauseSeconds = 8;
/** A server that wants more is not waited for. */
const longestRetryAfterSeconds = 120;

/** What may succeed when it is tried again. */
export class TransientFailure extends Error {
  /** As the server wishes, if it does. */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, {retryAfterSeconds, ...options}: TransientFailureOptions = {}) {
    super(message, options);
    this.name = 'TransientFailure';
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

interface TransientFailureOptions extends ErrorOptions {
  readonly retryAfterSeconds?: number | undefined;
}

export interface RetryOptions {
  readonly maxRetries: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Repeats what fails with a {@link TransientFailure}.
 *
 * @throws LanguageModelError where it failed once too often, or the server asks for a pause of more than two minutes
 */
export async function withRetries<T>(work: () => Promise<T>, {maxRetries, signal}: RetryOptions): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const {message, retryAfterSeconds} = error;
      if (retries === maxRetries || (retryAfterSeconds ?? 0) > longestRetryAfterSeconds)
        throw new LanguageModelError(`${message} ${advice(retries, retryAfterSeconds)}`, {cause: error});
      await pause(retryAfterSeconds ?? backoffSeconds(retries), signal);
    }
  }
}

function advice(retries: number, retryAfterSeconds: number | undefined): string {
  const count = retries === 0 ? 'once' : `${retries + 1} times`;
  const again = retryAfterSeconds === undefined ? 'again later' : `again in ${retryAfterSeconds} seconds`;
  return `Asked ${count}. Look after the server, or ask ${again}, less often or with a longer timeout.`;
}

/** Drawn from the upper half, so that those who failed together do not come back together. */
function backoffSeconds(retries: number): number {
  const longest = Math.min(firstPauseSeconds * 2 ** retries, longestPauseSeconds);
  return longest * (0.5 + 0.5 * Math.random());
}

async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(seconds * 1000, undefined, {signal});
  } catch {
    // Node rejects with an error of its own.
    signal?.throwIfAborted();
  }
}
