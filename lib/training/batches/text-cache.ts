/**
 * Hidden states of texts that were met lately: prompts come again each round, instructions all the time.
 */
import type {Engine} from '../../engine/engine.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import {encodeRows} from './encode-rows.ts';

/** Some thousand prompts of Stable Diffusion 1.5. */
const defaultMaxBytes = 2 ** 28;

type EncodeTexts = (texts: readonly string[]) => Promise<HostTensor>;

export class TextCache {
  readonly #engine: Engine;
  readonly #maxBytes: number;
  /** The one that was used longest ago first. */
  readonly #rows = new Map<string, HostTensor>();
  #bytes = 0;

  constructor(engine: Engine, maxBytes = defaultMaxBytes) {
    this.#engine = engine;
    this.#maxBytes = maxBytes;
  }

  /**
   * Rows of texts, [texts, …]; only those that are not there are encoded.
   *
   * @param encoder names the encoder, so that texts of several may be kept
   */
  async encode(encoder: string, texts: readonly string[], encode: EncodeTexts): Promise<HostTensor> {
    const keyOf = (text: string) => `${encoder}\n${text}`;
    const known = new Map(texts.map(text => [text, this.#take(keyOf(text))]));
    const missing = [...known.keys()].filter(text => known.get(text) === undefined);
    for (const [index, row] of (await encodeRows(this.#engine, missing, encode)).entries()) {
      const text = missing[index]!;
      known.set(text, row);
      this.#keep(keyOf(text), row);
    }
    return stackRows(texts.map(text => known.get(text)!));
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
    this.#rows.set(key, row);
    this.#bytes += row.data.byteLength;
    for (const [oldest, {data}] of this.#rows) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#rows.delete(oldest);
      this.#bytes -= data.byteLength;
    }
  }
}
