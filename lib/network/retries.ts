/**
 * Requests that fail for a while.
 */
import {setTimeout} from 'node:timers/promises';

/** A failure that may pass by itself: a cut or silent connection, a server that is busy. */
export class TransientError extends Error {
  /** The server's own wish. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & {readonly retryAfterSeconds?: number | undefined} = {},
  ) {
    super(message, options);
    this.name = 'TransientError';
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export interface RetryPolicy {
  /** Tries in a row that bring nothing. */
  readonly tries: number;
  /** Twice as long after every further try. */
  readonly firstWaitSeconds: number;
  readonly longestWaitSeconds: number;
  /** A server that wants a longer pause than this is not waited for. */
  readonly longestRetryAfterSeconds: number;
}

/** Why no further try is made. */
export interface GivenUp {
  readonly last: TransientError;
  /** How many failed. */
  readonly tries: number;
}

export interface Retries {
  readonly policy: RetryPolicy;
  /** The error to throw after the last try, or where the server asks for too long a pause. */
  readonly giveUp: (failure: GivenUp) => Error;
  /** Called before a failed try is made again. */
  readonly onRetry?: ((failure: TransientError, waitSeconds: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tries until it works, as long as failures are transient: with pauses that grow exponentially, of which up to a half is
 * left to chance, so that clients that were cut off together do not come back together.
 *
 * @param attempt calls `progressed` where it brings something, so that the count of tries begins anew
 * @throws what `giveUp` makes, the signal's reason where it is aborted, and whatever else `attempt` throws
 */
export async function withRetries<T>(
  {policy, giveUp, onRetry, signal}: Retries,
  attempt: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let tries = 0;
  const progressed = () => {
    tries = 0;
  };
  for (;;) {
    try {
      return await attempt(progressed);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      tries += 1;
      const waitSeconds = error.retryAfterSeconds ?? backoffSeconds(tries, policy);
      if (tries >= policy.tries || waitSeconds > policy.longestRetryAfterSeconds) {
        throw giveUp({last: error, tries});
      }
      onRetry?.(error, waitSeconds);
      await wait(waitSeconds, signal);
    }
  }
}

function backoffSeconds(tries: number, {firstWaitSeconds, longestWaitSeconds}: RetryPolicy): number {
  const full = Math.min(firstWaitSeconds * 2 ** (tries - 1), longestWaitSeconds);
  return full * (1 - Math.random() / 2);
}

async function wait(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  // Node rejects with an error of its own.
  await setTimeout(seconds * 1000, undefined, {...(signal && {signal})}).catch(() => undefined);
  signal?.throwIfAborted();
}
