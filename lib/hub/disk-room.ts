/**
 * Room on the disk, before a download and when it runs out.
 */
import {statfs} from 'node:fs/promises';
import {FileError} from '../errors.ts';
import {formatBytes} from '../inspect/format.ts';

const fullDiskCodes: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/** @throws FileError where the disk of a folder has fewer bytes free */
export async function expectRoom(folder: string, bytes: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free === undefined || free >= bytes) return;
  throw new FileError(
    `${folder}: expected ${formatBytes(bytes)} of room for what is to be downloaded, but ${formatBytes(free)} are free. ` +
      'Make room, or choose a folder on another disk.',
  );
}

/** What is thrown where a download cannot be written. `bytes`: how many were to come. */
export async function writeFailure(
  folder: string,
  bytes: number,
  cause: NodeJS.ErrnoException,
): Promise<FileError> {
  if (!fullDiskCodes.includes(cause.code)) {
    return new FileError(
      `${folder}: cannot be written: ${cause.message}. Correct its permissions, or choose another folder.`,
      {cause},
    );
  }
  const free = await freeBytes(folder);
  const room = free === undefined ? '' : `, but ${formatBytes(free)} are free`;
  return new FileError(
    `${folder}: expected room for ${formatBytes(bytes)} more${room} (${cause.message}). Make room, and go on with the ` +
      'same call: what has been downloaded is kept.',
    {cause},
  );
}

/** For whoever has no privileges; undefined where the file system does not tell. */
async function freeBytes(folder: string): Promise<number | undefined> {
  const stats = await statfs(folder).catch(() => undefined);
  return stats === undefined || stats.blocks === 0 ? undefined : stats.bavail * stats.bsize;
}
