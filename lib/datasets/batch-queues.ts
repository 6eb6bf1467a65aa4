/**
 * Batches of samples of one size: each size has a queue, and the first that is full is the next batch.
 */
export class BatchQueues<Item> {
  readonly #batchSize: number;
  /** In the order in which they came. */
  #waiting: {readonly bucket: string; readonly item: Item}[] = [];

  constructor(batchSize: number) {
    this.#batchSize = batchSize;
  }

  /** Those that no batch has yet, in the order in which they came: less than a batch of each bucket. */
  get waiting(): readonly Item[] {
    return this.#waiting.map(({item}) => item);
  }

  /** Adds an item. Returns the batch that it fills, in the order in which its items came. */
  add(bucket: string, item: Item): readonly Item[] | undefined {
    this.#waiting.push({bucket, item});
    const queue = this.#waiting.filter(other => other.bucket === bucket);
    if (queue.length < this.#batchSize) return undefined;
    this.#waiting = this.#waiting.filter(other => other.bucket !== bucket);
    return queue.map(other => other.item);
  }
}
