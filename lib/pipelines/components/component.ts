/**
 * What the models of a pipeline have in common: an engine, weights, a compute dtype.
 */
import type {FunctionOptions} from '../../engine/compiled-function.ts';
import type {Engine} from '../../engine/engine.ts';
import {type WeightSource, Weights} from '../../nn/weights.ts';
import type {ComputeDType} from '../compute-dtype.ts';
import type {EncodingCache} from '../encoding-cache.ts';
import {type HostTensor, splitRows, stackRows} from '../host-tensor.ts';

/** Of functions that run once a picture, and not once a step. */
export const oncePerPicture: FunctionOptions = {streamsWeights: true};

/** Where and how a model runs. */
export interface ComponentSettings {
  readonly engine: Engine;
  readonly dtype: ComputeDType;
  /** Where encoders keep what they made, if anywhere. */
  readonly encodings?: EncodingCache | undefined;
}

/** Tells components apart whose weights have one name. */
let componentCount = 0;

export abstract class Component {
  readonly engine: Engine;
  readonly dtype: ComputeDType;
  /** As its functions are traced with. */
  readonly weights: Weights;
  readonly encodings: EncodingCache | undefined;
  readonly #number = componentCount++;

  constructor({engine, dtype, encodings}: ComponentSettings, source: WeightSource) {
    this.engine = engine;
    this.dtype = dtype;
    this.encodings = encodings;
    this.weights = new Weights(source);
  }

  /** Its name in scopes, profiles and messages. */
  get label(): string {
    return this.weights.source.label;
  }

  /**
   * What the component makes of inputs, row by row; of those that were met lately from the cache, where there is one.
   *
   * @param what is made of them
   * @param keys one for each input: equal for equal inputs
   * @param encode makes rows of some of the inputs, given by their places
   */
  protected async cached(
    what: string,
    keys: readonly string[],
    encode: (places: readonly number[]) => Promise<HostTensor>,
  ): Promise<HostTensor> {
    if (this.encodings === undefined) return encode([...keys.keys()]);
    const rows = await this.encodings.encode(`${this.#number} ${what}`, keys, async places =>
      splitRows(await encode(places)),
    );
    return stackRows(rows);
  }
}
