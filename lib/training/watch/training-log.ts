/**
 * What a run tells on disk: `metrics.jsonl`, a line an event, and TensorBoard's files in `tensorboard`.
 */
import {appendFile, readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../../errors.ts';
import type {TrainingEvent, WatchEvent} from '../trainer-options.ts';
import {TensorBoardWriter} from './tensorboard.ts';
import type {SummaryValue} from './tensorboard-event.ts';

export type LoggedEvent = ({readonly kind: 'step'} & TrainingEvent) | WatchEvent;

export class TrainingLog {
  readonly #path: string;
  readonly #tensorBoard: TensorBoardWriter;

  private constructor(path: string, tensorBoard: TensorBoardWriter) {
    this.#path = path;
    this.#tensorBoard = tensorBoard;
  }

  /**
   * Of a run in a folder that goes on after a step: what a process that was killed had told of later ones goes, as these
   * steps are taken again.
   *
   * @throws FileError where the folder cannot be read or written to
   */
  static async open(folder: string, step: number): Promise<TrainingLog> {
    const path = join(folder, 'metrics.jsonl');
    try {
      await dropLinesAfter(path, step);
    } catch (cause) {
      throw cannotBeWritten(path, cause);
    }
    return new TrainingLog(path, new TensorBoardWriter(join(folder, 'tensorboard')));
  }

  /**
   * @param pictures of the event, for TensorBoard
   * @throws FileError where a file cannot be written to
   */
  async record(event: LoggedEvent, pictures: readonly SummaryValue[] = []): Promise<void> {
    try {
      await appendFile(this.#path, `${JSON.stringify(event)}\n`);
    } catch (cause) {
      throw cannotBeWritten(this.#path, cause);
    }
    const values = [...scalarsOf(event), ...pictures];
    if (values.length > 0) await this.#tensorBoard.write(event.step, values);
  }
}

function cannotBeWritten(path: string, cause: unknown): FileError {
  return new FileError(`${path}: cannot be written: ${(cause as Error).message}. Has the disk room?`, {
    cause,
  });
}

async function dropLinesAfter(path: string, step: number): Promise<void> {
  const lines = (await readFile(path, 'utf8').catch(ifMissing(''))).split('\n').filter(line => line !== '');
  const kept = lines.filter(line => (stepOf(line) ?? Number.POSITIVE_INFINITY) <= step);
  if (kept.length === lines.length) return;
  await writeFile(`${path}.partial`, kept.map(line => `${line}\n`).join(''), {flush: true});
  await rename(`${path}.partial`, path);
}

/** None where a line was cut off. */
function stepOf(line: string): number | undefined {
  try {
    return (JSON.parse(line) as LoggedEvent).step;
  } catch {
    return undefined;
  }
}

function ifMissing<T>(value: T): (error: NodeJS.ErrnoException) => T {
  return error => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
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
