/**
 * A file while it is downloaded. It lies beside its final place under a name of its own, so that two processes never
 * write to one file; node has no locks for files.
 *
 * `HASH.ipai-HOST-PID-N.incomplete` is being written by that process. Where the download ends early it becomes
 * `HASH.ipai.incomplete`, and whoever renames that first goes on with it; of a process that is no longer there, the
 * file is taken in the same way.
 */
import type {Hash} from 'node:crypto';
import {constants} from 'node:fs';
import {type FileHandle, open, readdir, rename, rm, stat} from 'node:fs/promises';
import {hostname} from 'node:os';
import {basename, dirname, join} from 'node:path';
import {writeFailure} from './disk-room.ts';

const host = hostname().replace(/[^\w.-]/g, '_');
let opened = 0;

export interface PartialFileOptions {
  /** Where the whole file goes. */
  readonly path: string;
  /** Bytes of the whole file. */
  readonly expectedSize: number;
  readonly startHash: () => Hash;
  readonly signal?: AbortSignal | undefined;
}

export class PartialFile {
  readonly #options: PartialFileOptions;
  readonly #ownPath: string;
  #file: FileHandle | undefined;
  #hash: Hash;
  #size = 0;

  private constructor(options: PartialFileOptions) {
    this.#options = options;
    this.#ownPath = `${options.path}.ipai-${host}-${process.pid}-${opened++}.incomplete`;
    this.#hash = options.startHash();
  }

  /**
   * Goes on with what an earlier download has left, or begins.
   *
   * @throws FileError where the folder cannot be written, the signal's reason where it is aborted
   */
  static async open(options: PartialFileOptions): Promise<PartialFile> {
    const partial = new PartialFile(options);
    await partial.#orWriteFailure(async () => {
      await partial.#takeOver();
      partial.#file = await open(partial.#ownPath, constants.O_RDWR | constants.O_CREAT);
    });
    try {
      await partial.#orWriteFailure(() => partial.#readBack());
    } catch (error) {
      await partial.close();
      throw error;
    }
    return partial;
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#size;
  }

  /** @throws FileError where the disk is full, or the file cannot be written */
  async append(chunk: Uint8Array): Promise<void> {
    await this.#orWriteFailure(async () => {
      let done = 0;
      while (done < chunk.length) {
        const {bytesWritten} = await this.#file!.write(chunk, done, chunk.length - done, this.#size + done);
        done += bytesWritten;
      }
    });
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** Throws away what it holds: the file itself, which is never cut, in case another process has it open after all. */
  async restart(): Promise<void> {
    await this.#orWriteFailure(async () => {
      await this.#file!.close();
      await rm(this.#ownPath, {force: true});
      this.#file = await open(this.#ownPath, constants.O_RDWR | constants.O_CREAT);
    });
    this.#hash = this.#options.startHash();
    this.#size = 0;
  }

  /** Of all that it holds, in hexadecimal digits. */
  hash(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Puts it, flushed to the disk, in its final place. */
  async finish(): Promise<void> {
    await this.#orWriteFailure(async () => {
      await this.#file!.sync();
      await this.#file!.close();
      await rename(this.#ownPath, this.#options.path);
      this.#file = undefined;
    });
  }

  /** Leaves what it holds to the next download, unless it is finished. */
  async close(): Promise<void> {
    if (this.#file === undefined) return;
    await this.#file.close().catch(() => undefined);
    this.#file = undefined;
    // Where this fails, the file stays under its own name, and is taken over once this process is gone.
    const isUseless = this.#size === 0 || (await sizeOf(this.#options.path)) === this.#options.expectedSize;
    if (isUseless) await rm(this.#ownPath, {force: true}).catch(() => undefined);
    else await rename(this.#ownPath, `${this.#options.path}.ipai.incomplete`).catch(() => undefined);
  }

  async #takeOver(): Promise<void> {
    for (const left of await leftPartials(this.#options.path)) {
      const isTaken = await rename(left, this.#ownPath).then(
        () => true,
        // Another process was quicker.
        () => false,
      );
      if (isTaken) return;
    }
  }

  async #readBack(): Promise<void> {
    const {size} = await this.#file!.stat();
    if (size === 0) return;
    const {signal} = this.#options;
    const stream = this.#file!.createReadStream({
      start: 0,
      end: size - 1,
      autoClose: false,
      highWaterMark: 2 ** 20,
    });
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      this.#hash.update(chunk);
      this.#size += chunk.length;
    }
  }

  async #orWriteFailure(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
      const {path, expectedSize} = this.#options;
      const bytes = Math.max(expectedSize - this.#size, 0);
      throw await writeFailure(dirname(path), bytes, cause as NodeJS.ErrnoException);
    }
  }
}

/** Bytes of a file's download that need not come again. */
export async function resumableBytes(path: string): Promise<number> {
  const [left] = await leftPartials(path);
  return left === undefined ? 0 : ((await sizeOf(left)) ?? 0);
}

/** What earlier downloads of a file have left, as paths. */
async function leftPartials(path: string): Promise<string[]> {
  const prefix = `${basename(path)}.ipai`;
  const names = await readdir(dirname(path)).catch(() => []);
  return names
    .filter(name => {
      if (!name.startsWith(prefix) || !name.endsWith('.incomplete')) return false;
      const [, ofHost, pid] = /^-(.+)-(\d+)-\d+\.incomplete$/.exec(name.slice(prefix.length)) ?? [];
      return pid === undefined || (ofHost === host && !isRunning(Number(pid)));
    })
    .map(name => join(dirname(path), name));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.size;
}
