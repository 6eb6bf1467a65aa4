import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {type ClipPreprocessConfig, type ImageFit, preprocessForClip} from '../../images/clip-preprocess.ts';
import type {Color} from '../../images/color.ts';
import type {RgbImage} from '../../images/image.ts';
import {type ClipVisionConfig, clipVisionEmbeds, clipVisionPenultimate} from '../../models/clip-vision.ts';
import type {WeightSource} from '../../nn/weights.ts';
import {download, type HostTensor, upload} from '../host-tensor.ts';
import {Component, type ComponentSettings} from './component.ts';

/** What an adapter reads of an image: the pooled embedding, or the hidden states before the last layer. */
export type ImageFeatures = 'embeds' | 'penultimate';

/** Pictures to CLIP features: preprocessing and image tower together. */
export class ImageEncoder extends Component {
  readonly config: ClipVisionConfig;
  readonly preprocess: ClipPreprocessConfig;
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
    const {weights, dtype} = this;
    this.#functions = {
      embeds: this.engine.compile(`${source.label}.embeds`, inputs =>
        clipVisionEmbeds(weights, config, inputs, {dtype}),
      ),
      penultimate: this.engine.compile(source.label, inputs =>
        clipVisionPenultimate(weights, config, inputs, {dtype}),
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

  /** The pixel values that stand for no image: all zero, which is the mean colour. */
  zeroPixelValues(): HostTensor {
    const shape = this.#pixelShape();
    return {shape, data: new Float32Array(shape.reduce((product, extent) => product * extent))};
  }

  /** Features of pictures, given as pixel values [B, 3, size, size]. */
  async encode(pixelValues: HostTensor, features: ImageFeatures, options?: RunOptions): Promise<HostTensor> {
    const pixels = upload(this.engine.device, pixelValues);
    try {
      return await download(await this.compiled(features).run({pixelValues: pixels}, options));
    } finally {
      pixels.dispose();
    }
  }

  /** The compiled tower, for planning. */
  compiled(features: ImageFeatures): CompiledFunction<{pixelValues: Tensor}, Tensor> {
    return this.#functions[features];
  }

  #pixelShape(): readonly number[] {
    const {numChannels, imageSize} = this.config;
    return [1, numChannels, imageSize, imageSize];
  }
}
