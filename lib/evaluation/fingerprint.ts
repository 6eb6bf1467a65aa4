/**
 * What results were made of, as hashes, so that those of other files are never taken for them.
 */
import {createHash, type Hash} from 'node:crypto';
import {createReadStream} from 'node:fs';
import {readdir, readFile, stat} from 'node:fs/promises';
import {join, relative} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {z} from 'zod';
import type {Dataset} from '../datasets/dataset.ts';
import {hashOf} from '../files/hash-of.ts';
import {unreadable} from '../weights/read-file.ts';

/**
 * SHA-256 of a file, or of the names and contents of all files in a folder.
 *
 * @throws FileError where one cannot be read
 */
export async function fingerprint(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    if ((await stat(path)).isFile()) await addFile(hash, path);
    else {
      for (const name of (await readdir(path, {recursive: true})).sort()) {
        const file = join(path, name);
        if (!(await stat(file)).isFile()) continue;
        hash.update(`${name}\0`);
        await addFile(hash, file);
      }
    }
  } catch (error) {
    throw unreadable(path, error as Error);
  }
  return hash.digest('hex');
}

/** The hash that a drawn set's `card.json` has, else SHA-256 of its samples' texts and where their pictures lie. */
export async function datasetFingerprint({folder, samples}: Dataset): Promise<string> {
  const known = card.safeParse(await readJson(join(folder, 'card.json')));
  if (known.success) return known.data.sha256;
  return hashOf(
    samples.map(({place, ...sample}) => sample),
    (key, value) => (key === 'file' ? relative(folder, value as string) : value),
  );
}

const card = z.object({sha256: z.string()});

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function addFile(hash: Hash, path: string): Promise<void> {
  return pipeline(createReadStream(path), async chunks => {
    for await (const chunk of chunks) hash.update(chunk as Buffer);
  });
}
