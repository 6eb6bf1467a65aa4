/**
 * A trained factor reader: pictures in, what it sees of their factors out.
 */
import {join} from 'node:path';
import {factorClassLabels} from '../../datasets/world/factor-groups.ts';
import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import {FileWeights} from '../../engine/file-weights.ts';
import {FileError} from '../../errors.ts';
import type {Tensor} from '../../graph/tensor.ts';
import type {RgbImage} from '../../images/image.ts';
import {imageToTensor} from '../../images/latent-image.ts';
import {
  describeFactorReaderWeights,
  type FactorReaderConfig,
  factorReader,
  parseFactorReaderConfig,
} from '../../models/factor-reader.ts';
import {Component, type ComponentSettings} from '../../pipelines/components/component.ts';
import {download, stackRows, upload} from '../../pipelines/host-tensor.ts';
import {readJson} from '../../pipelines/read-json.ts';
import {openWeights} from '../../weights/open-weights.ts';
import {reconcile} from '../../weights/reconcile.ts';
import {fingerprint} from '../fingerprint.ts';
import {type ReadFactors, readFactors} from './read-factors.ts';

export class FactorReader extends Component {
  readonly config: FactorReaderConfig;
  /** Hash of its weights. */
  readonly name: string;
  readonly #logits: CompiledFunction<{pictures: Tensor}, Tensor>;

  constructor(settings: ComponentSettings, source: FileWeights, config: FactorReaderConfig, name: string) {
    super(settings, source);
    this.config = config;
    this.name = name;
    this.#logits = this.engine.compile('reader', ({pictures}: {pictures: Tensor}) =>
      factorReader(this.weights, config, pictures),
    );
  }

  /** Pictures of any size, which are brought to the reader's. @throws NumericError for weights that give no finite numbers */
  async read(pictures: readonly RgbImage[], options: RunOptions = {}): Promise<ReadFactors[]> {
    const {sampleSize: side} = this.config;
    const rows = await Promise.all(
      pictures.map(async picture => ({
        shape: [1, 3, side, side],
        data: await imageToTensor(picture, side, side),
      })),
    );
    const pixels = upload(this.engine.device, stackRows(rows));
    try {
      return readFactors((await download(await this.#logits.run({pictures: pixels}, options))).data);
    } finally {
      pixels.dispose();
    }
  }
}

/**
 * @param folder a checkpoint of the reader's training, or its averages
 * @throws FileError, WeightsError where it is none, or one for other factors
 */
export async function loadFactorReader(settings: ComponentSettings, folder: string): Promise<FactorReader> {
  const path = join(folder, 'config.json');
  const config = parseFactorReaderConfig(await readJson(path));
  if (config.labels.join() !== factorClassLabels.join()) {
    throw new FileError(
      `${path}: expected the ${factorClassLabels.length} classes of this version's drawn world, got ` +
        `${config.labels.length} others. Train the reader again.`,
    );
  }
  const {tensors, path: weightsPath} = await openWeights(folder);
  const name = (await fingerprint(weightsPath)).slice(0, 12);
  const weights = reconcile(describeFactorReaderWeights(config), tensors, `reader of ${weightsPath}`);
  return new FactorReader(settings, new FileWeights('reader', weights), config, name);
}
