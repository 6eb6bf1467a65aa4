import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {type ClipTextConfig, clipText, clipTextEmbeds, endOfTextIndices} from '../../models/clip-text.ts';
import type {WeightSource} from '../../nn/weights.ts';
import {DeviceTensor} from '../../runtime/device-tensor.ts';
import type {CLIPTokenizer} from '../../tokenizer/clip-tokenizer.ts';
import {download, type HostTensor} from '../host-tensor.ts';
import {Component, type ComponentSettings, oncePerPicture} from './component.ts';

/** Texts to hidden states or embeddings: tokenizer and CLIP text tower together. */
export class TextEncoder extends Component {
  readonly config: ClipTextConfig;
  readonly tokenizer: CLIPTokenizer;
  readonly #hiddenStates = new Map<number, CompiledFunction<{inputIds: Tensor}, Tensor>>();
  /** The compiled tower with its projection, for planning. */
  readonly embeds: CompiledFunction<{inputIds: Tensor; endIndices: Tensor}, Tensor>;

  constructor(
    settings: ComponentSettings,
    source: WeightSource,
    config: ClipTextConfig,
    tokenizer: CLIPTokenizer,
  ) {
    super(settings, source);
    this.config = config;
    this.tokenizer = tokenizer;
    const embeds = (inputs: {inputIds: Tensor; endIndices: Tensor}) =>
      clipTextEmbeds(this.weights, config, inputs, this.dtype);
    this.embeds = this.engine.compile(`${source.label}.embeds`, embeds, oncePerPicture);
  }

  /** The same encoder with other weights. */
  withWeights(source: WeightSource): TextEncoder {
    return new TextEncoder(this, source, this.config, this.tokenizer);
  }

  /**
   * Hidden states of texts: [texts, tokens, hiddenSize].
   *
   * @param clipSkip layers at the end to leave out, as in diffusers
   */
  encode(texts: readonly string[], clipSkip: number, options?: RunOptions): Promise<HostTensor> {
    return this.encodeTokens(this.#tokenize(texts), clipSkip, options);
  }

  /** As `encode`, of texts that are token ids already, as the tokenizer frames them. */
  encodeTokens(rows: readonly Int32Array[], clipSkip: number, options?: RunOptions): Promise<HostTensor> {
    const keys = rows.map(row => row.join(' '));
    return this.cached(`states ${clipSkip}`, keys, async places => {
      const inputIds = this.#upload(places.map(place => rows[place]!));
      try {
        return await download(await this.hiddenStates(clipSkip).run({inputIds}, options));
      } finally {
        inputIds.dispose();
      }
    });
  }

  /** Embeddings of texts in the space shared with images, one token each: [texts, 1, projectionDim]. */
  embed(texts: readonly string[], options?: RunOptions): Promise<HostTensor> {
    return this.cached('embeds', texts, places =>
      this.#embed(
        places.map(place => texts[place]!),
        options,
      ),
    );
  }

  /** The compiled tower, for planning. */
  hiddenStates(clipSkip: number): CompiledFunction<{inputIds: Tensor}, Tensor> {
    const known = this.#hiddenStates.get(clipSkip);
    if (known !== undefined) return known;
    const trace = (inputs: {inputIds: Tensor}) =>
      clipText(this.weights, this.config, inputs, this.dtype, clipSkip);
    const compiled = this.engine.compile(this.weights.path, trace, oncePerPicture);
    this.#hiddenStates.set(clipSkip, compiled);
    return compiled;
  }

  async #embed(texts: readonly string[], options?: RunOptions): Promise<HostTensor> {
    const {device} = this.engine;
    const rows = this.#tokenize(texts);
    const inputIds = this.#upload(rows);
    const ends = endOfTextIndices(this.config, rows);
    const endIndices = DeviceTensor.from(device, ends, [texts.length]);
    try {
      const {shape, data} = await download(await this.embeds.run({inputIds, endIndices}, options));
      return {shape: [shape[0]!, 1, shape[1]!], data};
    } finally {
      inputIds.dispose();
      endIndices.dispose();
    }
  }

  #tokenize(texts: readonly string[]): Int32Array[] {
    return texts.map(text => this.tokenizer.encode(text).inputIds);
  }

  #upload(rows: readonly Int32Array[]): DeviceTensor {
    const length = rows[0]?.length ?? 0;
    const ids = new Int32Array(rows.length * length);
    for (const [row, inputIds] of rows.entries()) ids.set(inputIds, row * length);
    return DeviceTensor.from(this.engine.device, ids, [rows.length, length]);
  }
}
