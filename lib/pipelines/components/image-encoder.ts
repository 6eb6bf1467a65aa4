import {createHash} from 'node:crypto';
import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {type ClipPreprocessConfig, type ImageFit, preprocessForClip} from '../../images/clip-preprocess.ts';
import type {Color} from '../../images/color.ts';
import type {RgbImage} from '../../images/image.ts';
import {type ClipVisionConfig, clipVisionEmbeds, clipVisionPenultimate} from '../../models/clip-vision.ts';
import type {WeightSource} from '../../nn/weights.ts';
import {download, type HostRows, type HostTensor, rowsOf, splitRows, uploadRows} from '../host-tensor.ts';
import {Component, type ComponentSettings, oncePerPicture} from './component.ts';

/** What an adapter reads of an image: the pooled embedding, or the hidden states before the last layer. */
export type ImageFeatures = 'embeds' | 'penultimate';

/** For pictures in the encoder's own size, of which other fits may cut something off. */
export const asItIs = {fit: 'stretch'} as const;

/** Pictures to CLIP features: preprocessing and image tower together. */
export class ImageEncoder extends Component {
  readonly config: ClipVisionConfig;
  readonly preprocess: ClipPreprocessConfig;
  readonly #unconditional = new Map<string, HostTensor>();
  readonly #functions: Readonly<Record<ImageFeatures, CompiledFunction<{pixelValues: Tensor}, Tensor>>>;

  constructor(
    settings: ComponentSettings,
    source: WeightSource,
    config: ClipVisionConfig,
    preprocess: ClipPreprocessConfig,
  ) {
    super(settings, source);
    this.config = config;
    this.preprocess = preprocess;
    const {engine, weights, dtype} = this;
    this.#functions = {
      embeds: engine.compile(
        `${source.label}.embeds`,
        inputs => clipVisionEmbeds(weights, config, inputs, dtype),
        oncePerPicture,
      ),
      penultimate: engine.compile(
        source.label,
        inputs => clipVisionPenultimate(weights, config, inputs, dtype),
        oncePerPicture,
      ),
    };
  }

  /** Pixel values of a picture: [1, 3, size, size], fitted as asked or as the encoder's own config says. */
  async pixelValues(
    image: RgbImage,
    {fit, padColor}: {readonly fit?: ImageFit | undefined; readonly padColor?: Color | undefined} = {},
  ): Promise<HostTensor> {
    const options = {
      ...this.preprocess,
      ...(fit !== undefined && {fit}),
      ...(padColor !== undefined && {padColor}),
    };
    return {shape: this.#pixelShape(), data: await preprocessForClip(image, options)};
  }

  /**
   * Features that stand for no image, computed once: those of the zero tensor (the mean colour), which the references
   * use, or of a black picture. The pooled embedding of no image is itself zero, as in IP-Adapter's code.
   */
  async unconditional(
    features: ImageFeatures,
    image: 'zero' | 'black',
    options?: RunOptions,
  ): Promise<HostTensor> {
    const key = `${features}/${image}`;
    // Not as a promise: a call would wait for another's, and fail where that one is aborted.
    const value = this.#unconditional.get(key) ?? (await this.#encodeUnconditional(features, image, options));
    this.#unconditional.set(key, value);
    return value;
  }

  /** Features of pictures, given as pixel values [B, 3, size, size]. */
  encode(
    pixelValues: HostTensor | HostRows,
    features: ImageFeatures,
    options?: RunOptions,
  ): Promise<HostTensor> {
    const {shape, rows} = 'rows' in pixelValues ? pixelValues : rowsOf(splitRows(pixelValues));
    if (this.encodings === undefined) return this.#encode({shape, rows}, features, options);
    return this.cached(features, rows.map(hashOf), places => {
      const missing = {shape: [places.length, ...shape.slice(1)], rows: places.map(place => rows[place]!)};
      return this.#encode(missing, features, options);
    });
  }

  /** The compiled tower, for planning. */
  compiled(features: ImageFeatures): CompiledFunction<{pixelValues: Tensor}, Tensor> {
    return this.#functions[features];
  }

  async #encodeUnconditional(
    features: ImageFeatures,
    image: 'zero' | 'black',
    options?: RunOptions,
  ): Promise<HostTensor> {
    const {projectionDim, imageSize} = this.config;
    if (features === 'embeds' && image === 'zero') {
      return {shape: [1, projectionDim], data: new Float32Array(projectionDim)};
    }
    const shape = this.#pixelShape();
    const length = shape.reduce((product, extent) => product * extent);
    if (image === 'zero') return this.encode({shape, data: new Float32Array(length)}, features, options);
    const black = {width: imageSize, height: imageSize, data: new Uint8Array(length)};
    return this.encode(await this.pixelValues(black, asItIs), features, options);
  }

  async #encode(pixelValues: HostRows, features: ImageFeatures, options?: RunOptions): Promise<HostTensor> {
    const pixels = uploadRows(this.engine.device, pixelValues);
    try {
      return await download(await this.compiled(features).run({pixelValues: pixels}, options));
    } finally {
      pixels.dispose();
    }
  }

  #pixelShape(): readonly number[] {
    const {numChannels, imageSize} = this.config;
    return [1, numChannels, imageSize, imageSize];
  }
}

/** Pictures are known again whatever they were read from. */
function hashOf(pixels: Float32Array): string {
  return createHash('sha256').update(pixels).digest('hex');
}
