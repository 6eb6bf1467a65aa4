/**
 * Prompts for pictures that are to be painted.
 */
import {existsSync} from 'node:fs';
import {readdir, readFile, stat} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {FileError} from '../../errors.ts';
import {unreadable} from '../../weights/read-file.ts';

/**
 * Of a file with a prompt on each line; or of WikiArt as it is distributed (Saleh and Elgammal 2015), whose pictures lie as
 * `STYLE/artist-name_title-of-the-work-YEAR.jpg`: their titles. Each once, in the order of the lines or names.
 *
 * @throws FileError where there is none
 */
export async function readPrompts(path: string): Promise<string[]> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    const prompts = isFolder ? await wikiArtTitles(path) : (await readFile(path, 'utf8')).split(/\r?\n/);
    const distinct = [...new Set(prompts.map(prompt => prompt.trim()))].filter(prompt => prompt !== '');
    if (distinct.length > 0) return distinct;
  } catch (error) {
    throw unreadable(path, error as Error);
  }
  throw new FileError(
    `${path}: expected a prompt on each line, or WikiArt's folders of pictures, got none. Check the path.`,
  );
}

async function wikiArtTitles(folder: string): Promise<string[]> {
  const root = existsSync(join(folder, 'wikiart')) ? join(folder, 'wikiart') : folder;
  const names = await readdir(root, {recursive: true});
  return names.sort().flatMap(name => titleOf(basename(name)) ?? []);
}

/** Without the artist, who would bring a style along, and without the year. */
export function titleOf(fileName: string): string | undefined {
  const [, title] = /^[^_]+_(.+)\.(?:jpe?g|png)$/i.exec(fileName) ?? [];
  const words = title
    ?.replace(/\(\d+\)$/, '')
    .replace(/(-\d{4})*(-\d)?$/, '')
    .replaceAll(/[-_]+/g, ' ')
    .trim();
  // Works that have no title are called so, and some names are only a number.
  if (
    words === undefined ||
    !/[a-z]{3}/i.test(words) ||
    /^(untitled|not detected|unknown title)\b/i.test(words)
  ) {
    return undefined;
  }
  return words;
}
