/**
 * A trained factor reader as a scorer of generated pictures.
 */
import {worldTasks} from '../../datasets/world/tasks.ts';
import type {RunOptions} from '../../engine/compiled-function.ts';
import {Engine} from '../../engine/engine.ts';
import {ArgumentError} from '../../errors.ts';
import {type DeviceSpec, openDevice} from '../../runtime/device.ts';
import type {FactorScoreRequest, FactorScorer, FactorScores} from '../factor-scorer.ts';
import {type FactorReader, loadFactorReader} from './load-factor-reader.ts';
import {truthOutcomes} from './truth-outcomes.ts';

export class FactorReaderScorer implements FactorScorer {
  readonly #reader: FactorReader;

  private constructor(reader: FactorReader) {
    this.#reader = reader;
  }

  /**
   * @param folder a checkpoint of the reader's training, or its averages
   * @throws FileError, WeightsError, ArgumentError where it is no reader, or one of other factors
   */
  static async load(folder: string, device: DeviceSpec = 'auto'): Promise<FactorReaderScorer> {
    const engine = new Engine(openDevice(device), {keepsWeights: true});
    return new FactorReaderScorer(await loadFactorReader({engine, dtype: 'float32'}, folder));
  }

  get name(): string {
    return `factor reader ${this.#reader.name}`;
  }

  /** @throws ArgumentError for a task that is not one of the drawn world */
  async score(
    {task, factors, picture}: FactorScoreRequest,
    options: Pick<RunOptions, 'signal'>,
  ): Promise<FactorScores> {
    const known = worldTasks.find(name => name === task);
    if (known === undefined) {
      throw new ArgumentError(
        `factorScorer: expected tasks of the drawn world, ${worldTasks.join(', ')}, got '${task}'. Evaluate a drawn set.`,
      );
    }
    const {target, condition} = factors;
    const [read] = await this.#reader.read([picture], options);
    return truthOutcomes({task: known, condition: condition.factors, target, read: read!});
  }

  dispose(): Promise<void> {
    return this.#reader.engine.dispose();
  }
}
