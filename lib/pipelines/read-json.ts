/**
 * The small files beside weights.
 */
import {readFile} from 'node:fs/promises';
import {FileError} from '../errors.ts';

/** @throws FileError where it cannot be read */
export async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new FileError(
      `${path}: expected a readable file, got ${cause.code ?? cause.message}. Check the path.`,
      {
        cause,
      },
    );
  });
}

/** @throws FileError where it cannot be read, or is no JSON */
export async function readJson(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FileError(`${path}: expected JSON, got something else: ${(cause as Error).message}.`, {cause});
  }
}
