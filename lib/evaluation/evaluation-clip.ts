/**
 * The CLIP model that scores: both of its towers, in float32 whatever the pictures are made in.
 */
import type {RunOptions} from '../engine/compiled-function.ts';
import {Engine} from '../engine/engine.ts';
import {ArgumentError} from '../errors.ts';
import type {RgbImage} from '../images/image.ts';
import type {ImageEncoder} from '../pipelines/components/image-encoder.ts';
import type {TextEncoder} from '../pipelines/components/text-encoder.ts';
import {gatherRows, type HostTensor, stackRows} from '../pipelines/host-tensor.ts';
import {loadImageEncoder, loadInstructionEncoder} from '../pipelines/load-encoders.ts';
import type {Device} from '../runtime/device.ts';
import type {CLIPTokenizer} from '../tokenizer/clip-tokenizer.ts';

/** The CLIP that scores. */
export interface EvaluationClipFolders {
  /** A CLIP vision model with projection. */
  readonly imageEncoder: string;
  /** The text model of the same CLIP, with projection; without it there are no scores with texts. */
  readonly textEncoder?: string | undefined;
}

export class EvaluationClip {
  readonly #engine: Engine;
  readonly #images: ImageEncoder;
  readonly #texts: TextEncoder | undefined;
  /** Captions and prompts come back with each adapter. */
  readonly #known = new Map<string, Float32Array>();

  private constructor(engine: Engine, images: ImageEncoder, texts: TextEncoder | undefined) {
    this.#engine = engine;
    this.#images = images;
    this.#texts = texts;
  }

  /**
   * @param tokenizer for a text model that brings none
   * @throws FileError, WeightsError, ArgumentError where a tower is missing, or they are of different models
   */
  static async load(
    device: Device,
    {imageEncoder, textEncoder}: EvaluationClipFolders,
    tokenizer: CLIPTokenizer,
  ): Promise<EvaluationClip> {
    const engine = new Engine(device);
    const settings = {engine, dtype: 'float32' as const};
    const images = await loadImageEncoder(settings, imageEncoder);
    if (textEncoder === undefined) return new EvaluationClip(engine, images, undefined);
    const texts = await loadInstructionEncoder(settings, textEncoder, undefined, tokenizer);
    const [expected, got] = [images.config.projectionDim, texts.config.projectionDim];
    if (expected === got) return new EvaluationClip(engine, images, texts);
    throw new ArgumentError(
      `${textEncoder}: expected a text model that projects to ${expected} channels, as the image model in ` +
        `${imageEncoder} does, got ${got ?? 'one without a projection'}. Give both towers of one CLIP model.`,
    );
  }

  get readsTexts(): boolean {
    return this.#texts !== undefined;
  }

  /** An embedding for each picture. */
  async embedImages(
    images: readonly RgbImage[],
    options: Pick<RunOptions, 'signal'> = {},
  ): Promise<Float32Array[]> {
    const pixels: HostTensor[] = [];
    for (const image of images) pixels.push(await this.#images.pixelValues(image));
    return rowsOf(await this.#images.encode(stackRows(pixels), 'embeds', options));
  }

  /** The text's embedding; undefined without a text tower. */
  async embedText(text: string, options: Pick<RunOptions, 'signal'> = {}): Promise<Float32Array | undefined> {
    const known = this.#known.get(text);
    if (this.#texts === undefined || known !== undefined) return known;
    const {data} = await this.#texts.embed([text], options);
    this.#known.set(text, data);
    return data;
  }

  dispose(): Promise<void> {
    return this.#engine.dispose();
  }
}

function rowsOf(tensor: HostTensor): Float32Array[] {
  return Array.from({length: tensor.shape[0]!}, (_, row) => gatherRows(tensor, [row]).data);
}
