/**
 * A network of face-api with its weights, on a device.
 */
import {join} from 'node:path';
import type {CompiledFunction, RunOptions} from '../engine/compiled-function.ts';
import type {Engine} from '../engine/engine.ts';
import {HostWeights} from '../engine/host-weights.ts';
import type {Tensor} from '../graph/tensor.ts';
import {preprocessForClip} from '../images/clip-preprocess.ts';
import type {RgbImage} from '../images/image.ts';
import {describeFaceNetworkWeights, type FaceNetwork} from '../models/face/face-network.ts';
import {Weights} from '../nn/weights.ts';
import {download, upload} from '../pipelines/host-tensor.ts';
import {reconcile} from '../weights/reconcile.ts';
import {readTfjsWeights} from '../weights/tfjs-weights.ts';

export class LoadedFaceNetwork {
  readonly #engine: Engine;
  readonly #network: FaceNetwork;
  readonly #run: CompiledFunction<{pictures: Tensor}, Tensor>;

  private constructor(engine: Engine, network: FaceNetwork, source: HostWeights) {
    this.#engine = engine;
    this.#network = network;
    this.#run = engine.compile(network.name, ({pictures}: {pictures: Tensor}) =>
      network.apply(new Weights(source), pictures),
    );
  }

  /** @throws FileError where its files are missing or damaged, WeightsError where they are of another network */
  static async load(engine: Engine, network: FaceNetwork, folder: string): Promise<LoadedFaceNetwork> {
    const path = join(folder, `${network.name}_model-weights_manifest.json`);
    const tensors = reconcile(
      describeFaceNetworkWeights(network),
      await readTfjsWeights(path),
      `${network.name} of ${path}`,
    );
    return new LoadedFaceNetwork(engine, network, new HostWeights(network.name, tensors));
  }

  /** What it gives for a picture of any size, which is brought to the network's, in the middle of a black square. */
  async run(picture: RgbImage, options: RunOptions): Promise<Float32Array> {
    const {side, meanRgb} = this.#network;
    const [red, green, blue] = meanRgb;
    const data = await preprocessForClip(picture, {
      fit: 'pad',
      size: side,
      cropSize: side,
      mean: [red / 255, green / 255, blue / 255],
      std: [1, 1, 1],
    });
    const pictures = upload(this.#engine.device, {shape: [1, 3, side, side], data});
    try {
      return (await download(await this.#run.run({pictures}, options))).data;
    } finally {
      pictures.dispose();
    }
  }
}
