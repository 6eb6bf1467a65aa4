/**
 * Threads that prepare pictures while the models compute.
 */
import {extname} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Piscina} from 'piscina';
import {InternalError} from '../../errors.ts';
import {type PictureTask, type PreparedPicture, preparePicture, type Unreadable} from './prepare-pictures.ts';

/** What threads run: beside this file, and of its kind: `.ts` in the sources, `.js` or `.cjs` in the package. */
function workerFile(): string {
  const extension = extname(fileURLToPath(import.meta.url));
  return fileURLToPath(new URL(`./prepare-pictures${extension}`, import.meta.url));
}

export class PicturePool {
  readonly #threads: Piscina | undefined;
  readonly #running = new Set<Promise<unknown>>();

  /** @param numWorkers 0: everything is done in the caller's thread */
  constructor(numWorkers: number) {
    if (numWorkers === 0) return;
    this.#threads = new Piscina({minThreads: numWorkers, maxThreads: numWorkers});
  }

  /** @throws InternalError where a thread ends in its work; another takes its place */
  async run(task: PictureTask): Promise<PreparedPicture | Unreadable> {
    if (this.#threads === undefined) return preparePicture(task);
    const running = this.#threads.run(task, {filename: workerFile(), name: 'preparePicture'});
    this.#running.add(running);
    try {
      return await running;
    } catch (cause) {
      const {file} = task.picture;
      throw new InternalError(`a thread that prepared ${file} failed: ${(cause as Error).message}.`, {cause});
    } finally {
      this.#running.delete(running);
    }
  }

  /** Ends the threads when all that they were given is done: one that is ended at work may still send its result. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#running);
    await this.#threads?.destroy();
  }
}
