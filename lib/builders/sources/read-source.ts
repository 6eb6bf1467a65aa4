import {readFile} from 'node:fs/promises';
import {unreadable} from '../../weights/read-file.ts';

/** @throws FileError where the file cannot be read */
export async function readSourceFile(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw unreadable(path, error as Error);
  }
}
