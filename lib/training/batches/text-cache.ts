/**
 * Hidden states of texts that were met lately: prompts come again each round, instructions all the time.
 */
import type {Engine} from '../../engine/engine.ts';
import {EncodingCache} from '../../pipelines/encoding-cache.ts';
import {type HostTensor, stackRows} from '../../pipelines/host-tensor.ts';
import {encodeRows, rowsOf} from './encode-rows.ts';

/** Some thousand prompts of Stable Diffusion 1.5. */
const defaultMaxBytes = 2 ** 28;

type EncodeTexts = (texts: readonly string[]) => Promise<HostTensor>;

export class TextCache {
  readonly #engine: Engine;
  readonly #rows: EncodingCache;

  constructor(engine: Engine, maxBytes = defaultMaxBytes) {
    this.#engine = engine;
    this.#rows = new EncodingCache(maxBytes);
  }

  /**
   * Rows of texts, [texts, …]; only those that are not there are encoded.
   *
   * @param encoder names the encoder, so that texts of several may be kept
   */
  encode(encoder: string, texts: readonly string[], encode: EncodeTexts): Promise<HostTensor> {
    return this.#rows.encode(encoder, texts, async places => {
      const missing = places.map(place => texts[place]!);
      return stackRows(await encodeRows(this.#engine, missing, async texts => rowsOf(await encode(texts))));
    });
  }
}
