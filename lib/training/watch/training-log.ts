/**
 * What a run tells on disk: `metrics.jsonl`, a line an event, and TensorBoard's files in `tensorboard`.
 */
import {appendFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../../errors.ts';
import type {TrainingEvent, WatchEvent} from '../trainer-options.ts';
import {TensorBoardWriter} from './tensorboard.ts';
import type {SummaryValue} from './tensorboard-event.ts';

export type LoggedEvent = ({readonly kind: 'step'} & TrainingEvent) | WatchEvent;

export class TrainingLog {
  readonly #path: string;
  readonly #tensorBoard: TensorBoardWriter;

  /** Of a run's folder. */
  constructor(folder: string) {
    this.#path = join(folder, 'metrics.jsonl');
    this.#tensorBoard = new TensorBoardWriter(join(folder, 'tensorboard'));
  }

  /**
   * @param pictures of the event, for TensorBoard
   * @throws FileError where a file cannot be written to
   */
  async record(event: LoggedEvent, pictures: readonly SummaryValue[] = []): Promise<void> {
    try {
      await appendFile(this.#path, `${JSON.stringify(event)}\n`);
    } catch (cause) {
      throw new FileError(
        `${this.#path}: cannot be written: ${(cause as Error).message}. Has the disk room?`,
        {
          cause,
        },
      );
    }
    const values = [...scalarsOf(event), ...pictures];
    if (values.length > 0) await this.#tensorBoard.write(event.step, values);
  }
}

function scalarsOf(event: LoggedEvent): SummaryValue[] {
  switch (event.kind) {
    case 'step':
      return [
        {tag: 'train/loss', scalar: event.loss},
        {tag: 'train/gradient_norm', scalar: event.gradientNorm},
        {tag: 'train/learning_rate', scalar: event.learningRate},
        {tag: 'train/samples_per_second', scalar: event.samplesPerSecond},
      ];
    case 'validation':
      return [{tag: 'validation/loss', scalar: event.loss}, ...curves('validation_loss', event.perTask)];
    case 'samples':
      return Object.entries(event.metrics).flatMap(([name, perTask]) => curves(name, perTask));
    case 'failure':
      return [];
  }
}

function curves(group: string, values: Readonly<Record<string, number>>): SummaryValue[] {
  return Object.entries(values).map(([name, scalar]) => ({tag: `${group}/${name}`, scalar}));
}
