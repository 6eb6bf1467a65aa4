import {mkdir, readdir, rename, rm} from 'node:fs/promises';
import {resolve} from 'node:path';
import {FileError, IPAdapterError} from '../errors.ts';

/**
 * Lets `write` fill a folder beside `folder`, which takes its name in the end: what is written is there whole, or not at
 * all.
 *
 * @param contents what is written, for the message where that fails
 * @param signal with which `write` can be aborted; its reason is then thrown
 * @throws FileError where the folder is not empty, or cannot be written
 */
export async function writeNewFolder<T>(
  folder: string,
  contents: string,
  write: (partial: string) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  await checkEmpty(folder);
  const partial = `${resolve(folder)}.partial-${process.pid}`;
  try {
    await mkdir(partial, {recursive: true});
    const result = await write(partial);
    await rename(partial, folder);
    return result;
  } catch (cause) {
    await rm(partial, {recursive: true, force: true});
    if (signal?.aborted || cause instanceof IPAdapterError) throw cause;
    throw new FileError(
      `${folder}: expected a place to write ${contents}, but ${(cause as Error).message}. ` +
        'Give a folder that may be written to, on a disk with room.',
      {cause},
    );
  }
}

async function checkEmpty(folder: string): Promise<void> {
  const entries = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw new FileError(`${folder}: expected a folder, or none: ${cause.message}.`, {cause});
  });
  if (entries.length === 0) return;
  throw new FileError(
    `${folder}: expected an empty folder, or none, but it holds ${entries.length} entries. Choose another.`,
  );
}
