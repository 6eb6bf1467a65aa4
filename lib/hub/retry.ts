import {FileError} from '../errors.ts';
import {formatSeconds} from '../inspect/format.ts';
import {type RetryPolicy, withRetries} from '../network/retries.ts';

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
 * {@link withRetries} for what is asked of the hub.
 *
 * @throws FileError after the last try, the signal's reason where it is aborted, and whatever else `attempt` throws
 */
export function withHubRetries<T>(
  what: string,
  {policy, signal, onRetry}: RetryOptions,
  attempt: (progressed: () => void) => Promise<T>,
): Promise<T> {
  return withRetries(
    {
      policy,
      signal,
      onRetry: ({message}, waitSeconds) => onRetry?.({what, reason: message, waitSeconds}),
      giveUp: ({last, tries}) => {
        const when =
          tries < policy.tries && last.retryAfterSeconds !== undefined
            ? `it asks to wait ${formatSeconds(last.retryAfterSeconds)}`
            : `in ${tries} tries`;
        return new FileError(
          `${what}: expected an answer of the hub, got none (${when}): ${last.message}. Check the connection, and try ` +
            'again later: what has been downloaded is kept.',
          {cause: last},
        );
      },
    },
    attempt,
  );
}
