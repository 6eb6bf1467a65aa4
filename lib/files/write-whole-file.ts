import {type FileHandle, open, rename, rm} from 'node:fs/promises';
import {FileError} from '../errors.ts';

/**
 * Writes a file that appears whole or not at all: beside its place, flushed to the disk, then renamed.
 *
 * @param writer tells those apart who may write it at the same time
 * @throws FileError where the disk is full or the folder cannot be written.
 */
export async function writeWholeFile(
  path: string,
  parts: readonly ArrayBufferView[],
  writer = `${process.pid}`,
): Promise<void> {
  const partial = `${path}.partial-${writer}`;
  try {
    await writeParts(partial, parts);
    await rename(partial, path);
  } catch (cause) {
    await rm(partial, {force: true});
    throw new FileError(
      `${path}: cannot be written: ${(cause as Error).message}. Check that the folder exists and has room.`,
      {cause},
    );
  }
}

async function writeParts(path: string, parts: readonly ArrayBufferView[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const part of parts) await writeAll(file, part);
    await file.sync();
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
