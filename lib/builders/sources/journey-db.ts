/**
 * JourneyDB as it is distributed (Sun et al. 2023): `train_anno_realease_repath.jsonl` (its spelling), whose lines have a
 * picture's path in `imgs` and the prompt that MidJourney was given.
 */
import {createReadStream, existsSync} from 'node:fs';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {z} from 'zod';
import {FileError} from '../../errors.ts';
import {shuffled} from '../in-rounds.ts';
import type {PictureSource, SourcePicture} from './picture-source.ts';
import {readSourceFile} from './read-source.ts';

const annotations = 'train_anno_realease_repath.jsonl';

/** The folder with the annotations, of `folder` and where the data set has it below. */
export function journeyDbFolder(folder: string): string | undefined {
  return [folder, join(folder, 'data/train')].find(place => existsSync(join(place, annotations)));
}

/** @param folder as `journeyDbFolder` has it */
export async function openJourneyDb(folder: string): Promise<PictureSource> {
  const rows = await readAnnotations(join(folder, annotations));
  const picture = ({path, prompt}: Row): SourcePicture => ({
    name: path,
    load: async () => {
      const bytes = await readSourceFile(join(folder, 'imgs', path));
      return {bytes, caption: promptText(prompt)};
    },
  });
  return {
    description: 'JourneyDB, pictures of MidJourney with their prompts',
    count: rows.length,
    *shuffled(seed) {
      for (const row of shuffled(rows, seed)) yield picture(row);
    },
  };
}

/** What a prompt says of the picture: without the pictures that it points at and MidJourney's parameters (`--ar 3:2`). */
export function promptText(prompt: string): string {
  return prompt
    .replaceAll(/<?https?:\/\/\S+>?/g, ' ')
    .replace(/(^|\s)(--|—)[a-z]+\b.*$/is, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

interface Row {
  readonly path: string;
  readonly prompt: string;
}

const row = z.object({
  img_path: z.string().refine(path => !path.split(/[\\/]/).includes('..'), 'a path in imgs'),
  prompt: z.string(),
});

async function readAnnotations(path: string): Promise<Row[]> {
  const rows: Row[] = [];
  const lines = createInterface({input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY});
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    try {
      const {img_path, prompt} = row.parse(JSON.parse(line));
      rows.push({path: img_path.replace(/^\.\//, ''), prompt});
    } catch (cause) {
      throw new FileError(
        `${path}:${number}: expected an object with img_path and prompt. Is the file whole? Unpack it again.`,
        {cause},
      );
    }
  }
  return rows;
}
