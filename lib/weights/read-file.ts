import {closeSync, openSync, readSync, type Stats, statSync} from 'node:fs';
import {type FileHandle, open, stat} from 'node:fs/promises';
import {FileError} from '../errors.ts';

/**
 * Runs `use` on an open file and closes it. Whatever the system says is wrong with it becomes a FileError.
 */
export async function withFile<T>(
  path: string,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  let file: FileHandle | undefined;
  try {
    const size = sizeOfFile(path, await stat(path));
    file = await open(path, 'r');
    return await use(file, size);
  } catch (error) {
    throw asFileError(path, error);
  } finally {
    await file?.close();
  }
}

/** Reads exactly `length` bytes from `position`. */
export async function readBytes(
  file: FileHandle,
  path: string,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const {bytesRead} = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0) throw endedEarly(path, {position, length, done});
    done += bytesRead;
  }
  return buffer;
}

/**
 * The same for a file that is opened for this read alone, on the thread of the caller, who waits: a tenth of the work where
 * files are small, for threads that do nothing else.
 *
 * @param rangeOf what to read of a file of so many bytes
 */
export function readRangeSync(
  path: string,
  rangeOf: (size: number) => {readonly position: number; readonly length: number},
): Buffer {
  let file: number | undefined;
  try {
    const {position, length} = rangeOf(sizeOfFile(path, statSync(path)));
    file = openSync(path, 'r');
    const buffer = Buffer.alloc(length);
    let done = 0;
    while (done < length) {
      const bytesRead = readSync(file, buffer, done, length - done, position + done);
      if (bytesRead === 0) throw endedEarly(path, {position, length, done});
      done += bytesRead;
    }
    return buffer;
  } catch (error) {
    throw asFileError(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Asked before `open`, which waits for ever on a named pipe. */
function sizeOfFile(path: string, stats: Stats): number {
  if (stats.isFile()) return stats.size;
  throw new FileError(`${path}: expected a file; got something else. Check the path.`);
}

function endedEarly(
  path: string,
  {position, length, done}: Readonly<Record<'position' | 'length' | 'done', number>>,
): FileError {
  return new FileError(
    `${path}: expected ${length} bytes from byte ${position}; got ${done}, then the end of the file. ` +
      'The file is truncated: download it again.',
  );
}

function asFileError(path: string, error: unknown): unknown {
  return error instanceof Error && 'syscall' in error ? unreadable(path, error) : error;
}

/** A FileError for what the operating system said about a path. */
export function unreadable(path: string, error: Error): FileError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const advice = missing ? 'There is no such file: check the path.' : 'Check that it is a file you may read.';
  return new FileError(`${path}: cannot be read: ${error.message}. ${advice}`, {cause: error});
}
