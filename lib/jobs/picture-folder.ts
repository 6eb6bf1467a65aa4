/**
 * Pictures in a folder, which several machines may share.
 */
import {randomUUID} from 'node:crypto';
import {mkdir, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import type {PictureStorage} from './picture-storage.ts';

/** @throws FileError where the folder cannot be made */
export async function openPictureFolder(folder: string): Promise<PictureStorage> {
  await mkdir(folder, {recursive: true}).catch((cause: Error) => {
    throw new FileError(`${folder}: cannot be made: ${cause.message}. Give another folder.`, {cause});
  });
  return new PictureFolder(folder);
}

class PictureFolder implements PictureStorage {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.#folder, name)).catch(() => undefined);
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, name);
    // Machines that share the folder may have equal process ids.
    const partial = `${path}.partial-${randomUUID()}`;
    try {
      await writeFile(partial, bytes, {flush: true});
      await rename(partial, path);
    } catch (cause) {
      await rm(partial, {force: true}).catch(() => undefined);
      throw new FileError(
        `writing '${path}': expected a place to write ${bytes.length} bytes, but ${(cause as Error).message}. ` +
          'Does the folder exist, and has it room?',
        {cause},
      );
    }
  }
}
