/**
 * A connection to Redis that is never waited for without end, and that lets the process end when it is closed.
 */
import type {Redis} from 'ioredis';
import {ArgumentError, QueueError} from '../../errors.ts';
import {importIoredis} from '../optional-packages.ts';

/** For how long Redis is waited for at the beginning. */
const openMilliseconds = 5000;
/** Pause between tries to find a Redis again that was lost, and their number. */
const retryMilliseconds = 500;
const retries = 20;
/** A server that is silent for so long while it should answer is lost: more than any blocking command takes. */
const silenceMilliseconds = 15_000;
/** ioredis waits for so long for the other end of a socket to close, even where it is gone. */
const disconnectMilliseconds = 200;

export interface RedisConnection {
  readonly redis: Redis;
  /** Why there is no connection any more, unless it was closed. */
  readonly failure: QueueError | undefined;
  /** Called, once and before all pending commands fail, when Redis is given up. */
  onLost: (failure: QueueError) => void;
  /** At once, whatever is going on. */
  close(): void;
}

/**
 * @param url `redis://[[user]:password@]host[:port][/database]`, or `rediss:` for TLS
 * @throws ArgumentError for another URL, or where ioredis is not installed; QueueError, within a few seconds, where Redis
 *   cannot be reached
 */
export async function openConnection(url: string): Promise<RedisConnection> {
  const place = placeOf(url);
  const {Redis} = await importIoredis();
  let isOpen = false;
  let lastError: Error | undefined;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: openMilliseconds,
    socketTimeout: silenceMilliseconds,
    disconnectTimeout: disconnectMilliseconds,
    // Commands wait for a Redis that comes back, and fail when it is given up. BullMQ wants it so.
    maxRetriesPerRequest: null,
    retryStrategy: times => (isOpen && times <= retries ? retryMilliseconds : null),
  });
  // Without a listener ioredis prints errors.
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  await connect(redis).catch((cause: Error) => {
    redis.disconnect();
    throw new QueueError(
      `queue ${place}: expected a Redis server, but ${(lastError ?? cause).message || 'nobody answers'}. ` +
        'Is it started, and can it be reached from here?',
      {cause},
    );
  });
  isOpen = true;
  return new OpenConnection(redis, place);
}

async function connect(redis: Redis): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it does not answer')), openMilliseconds);
  });
  const connecting = redis.connect();
  // When the time is over, nobody waits for it any more.
  connecting.catch(() => undefined);
  try {
    await Promise.race([connecting, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/** Never shows the password. */
function placeOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && ['redis:', 'rediss:'].includes(parsed.protocol)) {
    return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  }
  throw new ArgumentError('queue: expected a URL such as redis://host:6379 but received another text.');
}

class OpenConnection implements RedisConnection {
  readonly redis: Redis;
  failure: QueueError | undefined;
  onLost: (failure: QueueError) => void = () => {};
  #isClosed = false;

  constructor(redis: Redis, place: string) {
    this.redis = redis;
    redis.once('end', () => {
      if (this.#isClosed) return;
      this.failure = new QueueError(
        `queue ${place}: expected Redis to stay, but it was lost and not found again. Start it, then this command again.`,
      );
      this.onLost(this.failure);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.redis.disconnect();
  }
}
