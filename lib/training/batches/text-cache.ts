/**
 * Hidden states of texts that were met lately: prompts come again each round, instructions all the time.
 */
import type {Engine} from '../../engine/engine.ts';
import {EncodingCache} from '../../pipelines/encoding-cache.ts';
import {type HostRows, type HostTensor, rowsOf, splitRows} from '../../pipelines/host-tensor.ts';
import {encodeRows} from './encode-rows.ts';

type EncodeTexts = (texts: readonly string[]) => Promise<HostTensor>;

export class TextCache {
  readonly #engine: Engine;
  readonly #rows: EncodingCache;

  constructor(engine: Engine, maxBytes = defaultMaxBytes(engine)) {
    this.#engine = engine;
    this.#rows = new EncodingCache(maxBytes);
  }

  /**
   * Rows of texts, [texts, …]; only those that are not there are encoded.
   *
   * @param encoder names the encoder, so that texts of several may be kept
   */
  async encode(encoder: string, texts: readonly string[], encode: EncodeTexts): Promise<HostRows> {
    const rows = await this.#rows.encode(encoder, texts, places => {
      const missing = places.map(place => texts[place]!);
      return encodeRows(this.#engine, missing, async texts => splitRows(await encode(texts)));
    });
    return rowsOf(rows);
  }
}

/**
 * A part of the machine's memory: all prompts of a training set come again in each round, so that a cache with too little
 * room for them has let each go before it is asked for. 4 GiB are 100,000 prompts of a small model.
 */
function defaultMaxBytes({device}: Engine): number {
  return Math.min(device.systemInfo().totalMemoryBytes / 16, 2 ** 32);
}
