import {setTimeout} from 'node:timers/promises';
import {FileError} from '../errors.ts';
import {formatSeconds} from '../inspect/format.ts';

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

export const defaultRetryPolicy: RetryPolicy = {
  tries: 5,
  firstWaitSeconds: 1,
  longestWaitSeconds: 30,
  longestRetryAfterSeconds: 300,
};

/** A try has failed, and another follows. */
export interface RetryEvent {
  /** A file of the repository, or what is asked of the hub. */
  readonly what: string;
  readonly reason: string;
  readonly waitSeconds: number;
}

export interface RetryOptions {
  readonly policy: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
  readonly onRetry?: ((event: RetryEvent) => void) | undefined;
}

/**
 * Tries until it works, as long as failures are transient: with pauses that grow exponentially, of which up to a half is
 * left to chance, so that clients that were cut off together do not come back together.
 *
 * @param attempt calls `progressed` where it brings something, so that the count of tries begins anew
 * @throws FileError after the last try, the signal's reason where it is aborted, and whatever else `attempt` throws
 */
export async function withRetries<T>(
  what: string,
  {policy, signal, onRetry}: RetryOptions,
  attempt: (progressed: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  const progressed = () => {
    failures = 0;
  };
  for (;;) {
    try {
      return await attempt(progressed);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      failures += 1;
      if (failures >= policy.tries) throw gaveUp(what, `in ${failures} tries`, error);
      const waitSeconds = error.retryAfterSeconds ?? backoffSeconds(failures, policy);
      if (waitSeconds > policy.longestRetryAfterSeconds) {
        throw gaveUp(what, `it asks to wait ${formatSeconds(waitSeconds)}`, error);
      }
      onRetry?.({what, reason: error.message, waitSeconds});
      await wait(waitSeconds, signal);
    }
  }
}

function backoffSeconds(failures: number, {firstWaitSeconds, longestWaitSeconds}: RetryPolicy): number {
  const full = Math.min(firstWaitSeconds * 2 ** (failures - 1), longestWaitSeconds);
  return full * (1 - Math.random() / 2);
}

async function wait(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(seconds * 1000, undefined, {...(signal && {signal})}).catch(() => undefined);
  signal?.throwIfAborted();
}

function gaveUp(what: string, when: string, cause: TransientError): FileError {
  return new FileError(
    `${what}: expected an answer of the hub, got none (${when}): ${cause.message}. Check the connection, and try ` +
      'again later: what has been downloaded is kept.',
    {cause},
  );
}
