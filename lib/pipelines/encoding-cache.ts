/**
 * What encoders made lately: hosts are asked for the same prompts, images and instructions again and again.
 */
import type {HostTensor} from './host-tensor.ts';

export class EncodingCache {
  readonly #maxBytes: number;
  /** The one that was used longest ago first. */
  readonly #rows = new Map<string, HostTensor>();
  #bytes = 0;

  /** @param maxBytes of all rows together; those that were used longest ago go first */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Rows of inputs, [1, …] each; only those that are not there are encoded, each once.
   *
   * @param encoder names the encoder and all else that its rows depend on
   * @param keys one for each input: equal for equal inputs
   * @param encode makes rows of some of the inputs, given by their places; rows may be views, of which copies are kept
   */
  async encode(
    encoder: string,
    keys: readonly string[],
    encode: (missing: readonly number[]) => Promise<readonly HostTensor[]>,
  ): Promise<HostTensor[]> {
    const rows = new Map(keys.map(key => [key, this.#take(`${encoder}\n${key}`)]));
    const missing = [...rows.keys()].filter(key => rows.get(key) === undefined);
    if (missing.length > 0) {
      const encoded = await encode(missing.map(key => keys.indexOf(key)));
      for (const [index, key] of missing.entries()) {
        const row = encoded[index]!;
        rows.set(key, row);
        this.#keep(`${encoder}\n${key}`, row);
      }
    }
    return keys.map(key => rows.get(key)!);
  }

  /** The row, which becomes the one that was used last. */
  #take(key: string): HostTensor | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    this.#rows.delete(key);
    this.#rows.set(key, row);
    return row;
  }

  #keep(key: string, row: HostTensor): void {
    // Another call may have encoded it meanwhile.
    if (this.#rows.has(key)) return;
    this.#rows.set(key, {...row, data: row.data.slice()});
    this.#bytes += row.data.byteLength;
    for (const [oldest, {data}] of this.#rows) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#rows.delete(oldest);
      this.#bytes -= data.byteLength;
    }
  }
}
