/**
 * Event files that TensorBoard shows: appended to while training, one for each writer.
 */
import {appendFile, mkdir} from 'node:fs/promises';
import {hostname} from 'node:os';
import {join} from 'node:path';
import {FileError} from '../../errors.ts';
import {type EventContent, eventRecord, type SummaryValue} from './tensorboard-event.ts';

/** Distinguishes the writers of one process. */
let writerCount = 0;

export class TensorBoardWriter {
  readonly #folder: string;
  /** Named as TensorBoard names its own: by time, host and process. */
  readonly #path: string;
  #hasBegun = false;

  /** Of a folder for TensorBoard's `--logdir`; nothing is written before the first values are. */
  constructor(folder: string) {
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${writerCount++}`;
    this.#folder = folder;
    this.#path = join(folder, name);
  }

  /**
   * Writes values of a step; they are in the file when this resolves. Where an earlier run in the folder got as far or
   * further, TensorBoard forgets its values from the first step on that is written here.
   *
   * @throws FileError where the file cannot be written to
   */
  async write(step: number, values: readonly SummaryValue[]): Promise<void> {
    const contents: EventContent[] = [values];
    if (!this.#hasBegun) contents.unshift({fileVersion: 'brain.Event:2'}, 'start');
    const wallTime = Date.now() / 1000;
    const records = contents.map(content => eventRecord(wallTime, step, content));
    try {
      if (!this.#hasBegun) await mkdir(this.#folder, {recursive: true});
      await appendFile(this.#path, Buffer.concat(records));
      this.#hasBegun = true;
    } catch (cause) {
      throw new FileError(
        `${this.#path}: cannot be written: ${(cause as Error).message}. Has the disk room?`,
        {
          cause,
        },
      );
    }
  }
}
