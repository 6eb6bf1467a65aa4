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
  const queue = openQueue(perMinute, concurrency);
  return {
    identity: model.identity,
    async complete(request) {
      const {signal} = request;
      return (await queue).add(() => model.complete(request), signal && {signal});
    },
  };
}

/** Imported when it is needed: to CommonJS, the default export of an ES module is only there by `import()`. */
async function openQueue(perMinute: number, concurrency: number) {
  const {default: PQueue} = await import('p-queue');
  const isPaced = perMinute !== Number.POSITIVE_INFINITY;
  return new PQueue({
    concurrency,
    ...(isPaced && {interval: 60_000, intervalCap: perMinute, strict: true}),
  });
}
