/**
 * Condition images on their way to workers: in Redis, each once, under the hash of its bytes. They go by themselves when
 * nobody asks for them any more.
 */
import type {Redis} from 'ioredis';
import {QueueError} from '../../errors.ts';
import {hashOfBytes} from '../../files/hash-of.ts';

/** After the last time that a picture was sent, read, or known to be needed. */
const keepSeconds = 2 * 24 * 60 * 60;
/** What a worker remembers, so that jobs with one picture have the same bytes and share batches. */
const rememberedBytes = 2 ** 26;

export class QueuePictures {
  readonly #redis: Redis;
  readonly #sent = new Set<string>();
  /** The one that was read first comes first. */
  readonly #read = new Map<string, Uint8Array>();
  #readBytes = 0;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  /** @returns the picture's hash */
  async send(bytes: Uint8Array): Promise<string> {
    const hash = hashOfBytes(bytes);
    this.#sent.add(hash);
    if ((await this.#redis.expire(keyOf(hash), keepSeconds)) === 0) {
      await this.#redis.set(keyOf(hash), Buffer.from(bytes), 'EX', keepSeconds);
    }
    return hash;
  }

  /** Keeps what was sent from going. */
  async keepSent(): Promise<void> {
    await Promise.all(Array.from(this.#sent, hash => this.#redis.expire(keyOf(hash), keepSeconds)));
  }

  /** @throws QueueError where it is gone */
  async read(hash: string): Promise<Uint8Array> {
    const known = this.#read.get(hash);
    if (known !== undefined) return known;
    const bytes = await this.#redis.getexBuffer(keyOf(hash), 'EX', keepSeconds);
    if (bytes === null) {
      throw new QueueError(
        `queue: expected the picture ${hash.slice(0, 12)} of a job, but Redis no longer has it. Send the jobs again.`,
      );
    }
    // Another job may have asked for it meanwhile: all must have the same bytes.
    return this.#read.get(hash) ?? this.#remember(hash, bytes);
  }

  #remember(hash: string, bytes: Uint8Array): Uint8Array {
    this.#read.set(hash, bytes);
    this.#readBytes += bytes.length;
    for (const [oldest, {length}] of this.#read) {
      if (this.#readBytes <= rememberedBytes) break;
      this.#read.delete(oldest);
      this.#readBytes -= length;
    }
    return bytes;
  }
}

function keyOf(hash: string): string {
  return `ipai:picture:${hash}`;
}
