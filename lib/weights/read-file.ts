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
    const stats = await stat(path);
    // Before `open`, which waits for ever on a named pipe.
    if (!stats.isFile()) {
      throw new FileError(`${path}: expected a file; got something else. Check the path.`);
    }
    file = await open(path, 'r');
    return await use(file, stats.size);
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? unreadable(path, error) : error;
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
    if (bytesRead === 0) {
      throw new FileError(
        `${path}: expected ${length} bytes from byte ${position}; got ${done}, then the end of the file. ` +
          'The file is truncated: download it again.',
      );
    }
    done += bytesRead;
  }
  return buffer;
}

/** A FileError for what the operating system said about a path. */
export function unreadable(path: string, error: Error): FileError {
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  const advice = missing ? 'There is no such file: check the path.' : 'Check that it is a file you may read.';
  return new FileError(`${path}: cannot be read: ${error.message}. ${advice}`, {cause: error});
}
