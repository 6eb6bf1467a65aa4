import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {FileError} from '../errors.ts';

export interface WriteOptions {
  /** Tells those apart who may write the file at the same time. Default: the process's number. */
  readonly writer?: string | undefined;
  /**
   * Whether to wait until it is on the disk. Without that it may be there in part after a power failure: for what can be
   * told from damage and made again. Default true.
   */
  readonly flushes?: boolean | undefined;
}

/**
 * Writes a file that appears whole or not at all: beside its place, flushed to the disk, then renamed.
 *
 * @throws FileError where the disk is full or the folder cannot be written.
 */
export async function writeWholeFile(
  path: string,
  parts: readonly ArrayBufferView[],
  {writer = `${process.pid}`, flushes = true}: WriteOptions = {},
): Promise<void> {
  const partial = `${path}.partial-${writer}`;
  try {
    await writeParts(partial, parts, flushes);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, {force: true});
    throw new FileError(
      `${path}: cannot be written: ${(cause as Error).message}. Check that the folder exists and has room.`,
      {cause},
    );
  }
}

async function writeParts(path: string, parts: readonly ArrayBufferView[], flushes: boolean): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of parts) await writeAll(file, part);
    if (flushes) await file.sync();
  } finally {
    await file.close();
  }
}

/** `write` may take less than it is given, above 2 GiB always. */
async function writeAll(file: FileHandle, part: ArrayBufferView): Promise<void> {
  const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
  let done = 0;
  while (done < bytes.length)
    done += (await file.write(bytes, done, Math.min(bytes.length - done, 2 ** 30))).bytesWritten;
}
