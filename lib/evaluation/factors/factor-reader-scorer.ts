/**
 * A trained factor reader as a scorer of generated pictures.
 */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {factorClassLabels} from '../../datasets/world/factor-groups.ts';
import {worldTasks} from '../../datasets/world/tasks.ts';
import type {CompiledFunction, RunOptions} from '../../engine/compiled-function.ts';
import {Engine} from '../../engine/engine.ts';
import {FileWeights} from '../../engine/file-weights.ts';
import {ArgumentError, FileError, WeightsError} from '../../errors.ts';
import type {Tensor} from '../../graph/tensor.ts';
import type {RgbImage} from '../../images/image.ts';
import {imageToTensor} from '../../images/latent-image.ts';
import {
  describeFactorReaderWeights,
  type FactorReaderConfig,
  factorReader,
  parseFactorReaderConfig,
} from '../../models/factor-reader.ts';
import {Weights} from '../../nn/weights.ts';
import {download, upload} from '../../pipelines/host-tensor.ts';
import {type DeviceSpec, openDevice} from '../../runtime/device.ts';
import {openWeights} from '../../weights/open-weights.ts';
import {reconcile} from '../../weights/reconcile.ts';
import type {FactorScoreRequest, FactorScorer, FactorScores} from '../factor-scorer.ts';
import {fingerprint} from '../fingerprint.ts';
import {type ReadFactors, readFactors} from './read-factors.ts';
import {truthOutcomes} from './truth-outcomes.ts';

export class FactorReaderScorer implements FactorScorer {
  readonly name: string;
  readonly #engine: Engine;
  readonly #config: FactorReaderConfig;
  readonly #logits: CompiledFunction<{pictures: Tensor}, Tensor>;

  private constructor(name: string, engine: Engine, source: FileWeights, config: FactorReaderConfig) {
    this.name = name;
    this.#engine = engine;
    this.#config = config;
    const weights = new Weights(source);
    this.#logits = engine.compile('factor_reader', ({pictures}) => factorReader(weights, config, pictures));
  }

  /**
   * @param folder with `config.json` and weights, as a checkpoint of its training has them
   * @throws FileError, WeightsError, ArgumentError where it is no reader, or one of other factors
   */
  static async load(folder: string, device: DeviceSpec = 'auto'): Promise<FactorReaderScorer> {
    const config = parseFactorReaderConfig(await readConfig(join(folder, 'config.json')));
    if (config.labels.join() !== factorClassLabels.join()) {
      throw new WeightsError(
        `${folder}: expected a factor reader of the ${factorClassLabels.length} classes of this version, got one of ` +
          `${config.labels.length}. Train it again.`,
      );
    }
    const {tensors, path} = await openWeights(folder);
    const expected = describeFactorReaderWeights(config);
    const source = new FileWeights('factor_reader', reconcile(expected, tensors, `factor reader of ${path}`));
    const name = `factor reader ${await fingerprint(path)}`;
    return new FactorReaderScorer(name, new Engine(openDevice(device)), source, config);
  }

  async score(
    {task, factors, picture}: FactorScoreRequest,
    options: Pick<RunOptions, 'signal'>,
  ): Promise<FactorScores> {
    const known = worldTasks.find(name => name === task);
    if (known === undefined) throw unknownTask(task);
    const {target, condition} = factors;
    const read = await this.#read(picture, options);
    return truthOutcomes({task: known, condition: condition.factors, target, read});
  }

  dispose(): Promise<void> {
    return this.#engine.dispose();
  }

  async #read(picture: RgbImage, options: Pick<RunOptions, 'signal'>): Promise<ReadFactors> {
    const side = this.#config.sampleSize;
    const data = await imageToTensor(picture, side, side);
    const pictures = upload(this.#engine.device, {shape: [1, 3, side, side], data});
    try {
      const logits = await download(await this.#logits.run({pictures}, options));
      return readFactors(logits.data)[0]!;
    } finally {
      pictures.dispose();
    }
  }
}

function unknownTask(task: string): ArgumentError {
  return new ArgumentError(
    `factorScorer: expected tasks of the drawn world, ${worldTasks.join(', ')}, got '${task}'. Evaluate a drawn set.`,
  );
}

async function readConfig(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new FileError(
      `${path}: expected the configuration of a factor reader: ${(cause as Error).message}. Give the folder of a ` +
        'checkpoint of its training.',
      {cause},
    );
  }
}
