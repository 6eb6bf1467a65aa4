/**
 * Which models the workers of a Redis have. Jobs of each have a queue of their own, so that a worker takes only what it
 * can make.
 */
import type {Redis} from 'ioredis';
import {hashOf} from '../../files/hash-of.ts';

const listKey = 'ipai:models';
/** Between two times that a worker says that it is there; after three it is gone. */
const announceMilliseconds = 10_000;
const presentSeconds = (3 * announceMilliseconds) / 1000;

/** The queue of jobs whose pictures depend on this beside their own options. */
export function queueNameOf(origin: unknown): string {
  return `pictures-${hashOf([origin]).slice(0, 16)}`;
}

/**
 * Tells senders that a worker with such models is there, again and again.
 *
 * @param onError told of what goes wrong after the first time
 * @returns what ends it
 */
export async function announceModels(
  redis: Redis,
  origin: unknown,
  onError: (error: unknown) => void,
): Promise<() => void> {
  const name = queueNameOf(origin);
  const announce = async () => {
    await redis.set(keyOf(name), JSON.stringify({origin}), 'EX', presentSeconds);
    await redis.sadd(listKey, name);
  };
  await announce();
  const timer = setInterval(() => announce().catch(onError), announceMilliseconds);
  return () => clearInterval(timer);
}

/** What the workers of today, of all queues, make pictures of: each once. */
export async function announcedModels(redis: Redis): Promise<unknown[]> {
  const names = await redis.smembers(listKey);
  if (names.length === 0) return [];
  const texts = await redis.mget(names.map(keyOf));
  return texts.flatMap(text => (text === null ? [] : [JSON.parse(text).origin]));
}

function keyOf(name: string): string {
  return `ipai:model:${name}`;
}
