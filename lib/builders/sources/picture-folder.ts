/**
 * A folder of pictures, and of folders with pictures: `a/b.jpg`, with its caption in `a/b.txt` or in a line
 * `{"file_name": "a/b.jpg", "text": "…"}` of `metadata.jsonl`.
 */
import {readdir} from 'node:fs/promises';
import {dirname, extname, join} from 'node:path';
import {z} from 'zod';
import {FileError} from '../../errors.ts';
import {isPictureFile, pictureEndings} from '../../images/picture-files.ts';
import {unreadable} from '../../weights/read-file.ts';
import {groupBy} from '../group-by.ts';
import {shuffled} from '../in-rounds.ts';
import type {LoadedPicture, PictureSource, SourcePicture} from './picture-source.ts';
import {readSourceFile} from './read-source.ts';

export async function openPictureFolder(folder: string): Promise<PictureSource> {
  const pictures = await folderPictures(folder);
  return {
    description: 'a folder of pictures',
    count: pictures.length,
    shuffled: seed => shuffled(pictures, seed),
  };
}

/** Pictures by the folder that they lie in: of one person, say, or of one object. */
export async function picturesByFolder(folder: string): Promise<Map<string, SourcePicture[]>> {
  return groupBy(await folderPictures(folder), ({name}) => dirname(name));
}

/** In the order of their names. @throws FileError where there is none, or the folder cannot be read */
async function folderPictures(folder: string): Promise<SourcePicture[]> {
  const names = await listFiles(folder);
  const present = new Set(names);
  const metadata = present.has('metadata.jsonl') ? await readMetadata(folder) : new Map<string, Metadata>();
  const pictures = names.filter(isPictureFile).map(name => {
    const captionFile = `${name.slice(0, -extname(name).length)}.txt`;
    const known = metadata.get(name);
    return {
      name,
      load: async (): Promise<LoadedPicture> => ({
        bytes: await readSourceFile(join(folder, name)),
        caption:
          known?.caption ?? (present.has(captionFile) ? await readText(folder, captionFile) : undefined),
        license: known?.license,
      }),
    };
  });
  if (pictures.length > 0) return pictures;
  throw new FileError(
    `${folder}: expected pictures (${pictureEndings.join(', ')}), there or in folders below, got none. Check the path.`,
  );
}

interface Metadata {
  readonly caption?: string | undefined;
  readonly license?: string | undefined;
}

const metadataLine = z.object({
  file_name: z.string(),
  text: z.string().optional(),
  caption: z.string().optional(),
  prompt: z.string().optional(),
  license: z.string().optional(),
});

async function readMetadata(folder: string): Promise<Map<string, Metadata>> {
  const path = join(folder, 'metadata.jsonl');
  const metadata = new Map<string, Metadata>();
  const lines = (await readSourceFile(path)).toString('utf8').split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    try {
      const {
        file_name: name,
        text,
        caption = text,
        prompt = caption,
        license,
      } = metadataLine.parse(JSON.parse(line));
      metadata.set(name, {caption: prompt, license});
    } catch (cause) {
      throw new FileError(
        `${path}:${index + 1}: expected an object with file_name, and text, caption or prompt, each a string. Mend the line.`,
        {cause},
      );
    }
  }
  return metadata;
}

async function readText(folder: string, name: string): Promise<string | undefined> {
  const text = (await readSourceFile(join(folder, name))).toString('utf8').trim();
  return text === '' ? undefined : text;
}

async function listFiles(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, {recursive: true, withFileTypes: true});
    const prefix = join(folder, '/');
    return entries
      .filter(entry => entry.isFile() || entry.isSymbolicLink())
      .map(entry => join(entry.parentPath, entry.name).slice(prefix.length).replaceAll('\\', '/'))
      .sort();
  } catch (error) {
    throw unreadable(folder, error as Error);
  }
}
