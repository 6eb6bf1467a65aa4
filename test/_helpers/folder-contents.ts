import {readdir, readFile, stat} from 'node:fs/promises';
import {join} from 'node:path';

/** All files of a folder by their paths, as base64. */
export async function folderContents(folder: string): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const name of (await readdir(folder, {recursive: true})).sort()) {
    const path = join(folder, name);
    if ((await stat(path)).isFile()) contents[name] = (await readFile(path)).toString('base64');
  }
  return contents;
}
