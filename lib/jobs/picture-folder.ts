/**
 * Pictures in a folder, which several machines may share.
 */
import {randomUUID} from 'node:crypto';
import {mkdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {writeWholeFile} from '../files/write-whole-file.ts';
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
    // Machines that share the folder may have equal process ids.
    await writeWholeFile(join(this.#folder, name), [bytes], {writer: randomUUID()});
  }
}
