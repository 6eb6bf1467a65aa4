import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {type AutoencoderKLConfig, vaeDecode, vaeEncode} from '../../models/autoencoder-kl.ts';
import type {WeightSource} from '../../nn/weights.ts';
import {download, type HostRows, type HostTensor, upload, uploadRows} from '../host-tensor.ts';
import {Component, type ComponentSettings, oncePerPicture} from './component.ts';

/** A distribution of latents, already times the scaling factor. */
export interface ScaledLatents {
  /** float32 [B, C, h, w] */
  readonly mean: HostTensor;
  readonly standardDeviation: HostTensor;
}

/** Pictures to latents and back. Latents here are those of the diffusion model: times `scalingFactor`. */
export class Autoencoder extends Component {
  readonly config: AutoencoderKLConfig;
  readonly decoder: CompiledFunction<{latents: Tensor}, Tensor>;
  readonly encoder: CompiledFunction<{image: Tensor}, {mean: Tensor; logvar: Tensor}>;

  constructor(settings: ComponentSettings, source: WeightSource, config: AutoencoderKLConfig) {
    super(settings, source);
    this.config = config;
    const {engine, weights, dtype} = this;
    const decode = (inputs: {latents: Tensor}) => vaeDecode(weights, config, inputs, dtype);
    this.decoder = engine.compile('vae.decode', decode, oncePerPicture);
    const encode = (inputs: {image: Tensor}) => {
      const {mean, logvar} = vaeEncode(weights, config, inputs, dtype);
      return {mean, logvar};
    };
    this.encoder = engine.compile('vae.encode', encode, oncePerPicture);
  }

  /** Pixels per latent along one side. */
  get scaleFactor(): number {
    return 2 ** (this.config.blockOutChannels.length - 1);
  }

  /** Latents of a picture: float32 [B, 3, H, W] from -1 to 1. */
  async encode(image: HostTensor | HostRows, options?: RunOptions): Promise<ScaledLatents> {
    const {device} = this.engine;
    const pixels = 'rows' in image ? uploadRows(device, image) : upload(device, image);
    try {
      const result = await this.encoder.run({image: pixels}, options);
      const [mean, logvar] = [await download(result.mean), await download(result.logvar)];
      const factor = this.config.scalingFactor;
      // Loops over indices: training waits for this, and callbacks of `map` take ten times as long.
      for (let i = 0; i < mean.data.length; i++) {
        mean.data[i]! *= factor;
        logvar.data[i] = Math.exp(0.5 * Math.min(Math.max(logvar.data[i]!, -30), 20)) * factor;
      }
      return {mean, standardDeviation: logvar};
    } finally {
      pixels.dispose();
    }
  }

  /** The picture of latents [B, C, h, w]: float32 [B, 3, H, W], nominally from -1 to 1. */
  async decode({shape, data}: HostTensor, options?: RunOptions): Promise<HostTensor> {
    const unscaled = data.map(value => value / this.config.scalingFactor);
    const latents = upload(this.engine.device, {shape, data: unscaled});
    try {
      return await download(await this.decoder.run({latents}, options));
    } finally {
      latents.dispose();
    }
  }
}
