import PQueue from 'p-queue';
import {invalidArgument} from '../errors.ts';
import type {LanguageModel} from './language-model.ts';

/** A request that a model repeats by itself counts once. */
export interface RateLimits {
  /** Requests in any minute. Default: no limit. */
  readonly perMinute?: number;
  /** Requests at a time. Default: no limit. */
  readonly concurrency?: number;
}

/**
 * Lets requests wait until the limits allow them; one whose signal is aborted waits no longer.
 *
 * @throws ArgumentError for a limit that is no whole number of 1 or more
 */
export function rateLimited(model: LanguageModel, limits: RateLimits): LanguageModel {
  const {perMinute = Number.POSITIVE_INFINITY, concurrency = Number.POSITIVE_INFINITY} = limits;
  for (const [name, value] of Object.entries({perMinute, concurrency})) {
    if (value !== Number.POSITIVE_INFINITY && !(Number.isInteger(value) && value >= 1))
      throw invalidArgument(name, 'an integer of 1 or more', value);
  }
  const queue = new PQueue({
    concurrency,
    ...(perMinute !== Number.POSITIVE_INFINITY && {interval: 60_000, intervalCap: perMinute, strict: true}),
  });
  return {
    identity: model.identity,
    complete: request => queue.add(() => model.complete(request), request.signal && {signal: request.signal}),
  };
}
