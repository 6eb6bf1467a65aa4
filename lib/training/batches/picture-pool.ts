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

/** Pictures of a message at most: a message takes as long as the preparation of a small picture. */
const picturesAtOnce = 64;

/** A picture that is asked for, and who is told. */
interface Asked {
  readonly task: PictureTask;
  readonly resolve: (picture: PreparedPicture | Unreadable) => void;
  readonly reject: (reason: InternalError) => void;
}

export class PicturePool {
  readonly #threads: Piscina | undefined;
  readonly #running = new Set<Promise<void>>();
  /** Since threads were last sent something. */
  #asked: Asked[] = [];

  /** @param numWorkers 0: everything is done in the caller's thread */
  constructor(numWorkers: number) {
    if (numWorkers === 0) return;
    const [filename, name] = [workerFile(), 'preparePictures'];
    this.#threads = new Piscina({filename, name, minThreads: numWorkers, maxThreads: numWorkers});
  }

  /**
   * What is asked for in one turn of the event loop goes to the threads together.
   *
   * @throws InternalError where a thread ends in its work; another takes its place
   */
  run(task: PictureTask): Promise<PreparedPicture | Unreadable> {
    const threads = this.#threads;
    if (threads === undefined) return preparePicture(task);
    if (this.#asked.length === 0) setImmediate(() => this.#send(threads));
    return new Promise((resolve, reject) => this.#asked.push({task, resolve, reject}));
  }

  /** Ends the threads when all that they were given is done: one that is ended at work may still send its result. */
  async close(): Promise<void> {
    const threads = this.#threads;
    if (threads === undefined) return;
    this.#send(threads);
    await Promise.all(this.#running);
    await threads.destroy();
  }

  /** Shares out what was asked for. */
  #send(threads: Piscina): void {
    const asked = this.#asked;
    this.#asked = [];
    const share = Math.ceil(asked.length / threads.options.maxThreads);
    const count = Math.min(share, picturesAtOnce);
    for (let begin = 0; begin < asked.length; begin += count) {
      const running = prepare(threads, asked.slice(begin, begin + count));
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    }
  }
}

/** Everybody is told, whatever happens. */
async function prepare(threads: Piscina, asked: readonly Asked[]): Promise<void> {
  try {
    const tasks = asked.map(({task}) => task);
    const pictures: readonly (PreparedPicture | Unreadable)[] = await threads.run(tasks);
    for (const [index, {resolve}] of asked.entries()) resolve(pictures[index]!);
  } catch (cause) {
    for (const {task, reject} of asked) {
      const {file} = task.picture;
      reject(
        new InternalError(`a thread that prepared ${file} failed: ${(cause as Error).message}.`, {cause}),
      );
    }
  }
}
