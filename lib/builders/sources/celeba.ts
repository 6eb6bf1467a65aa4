/**
 * CelebA as it is distributed (Liu et al. 2015): pictures in `img_align_celeba` or `img_celeba`; persons in
 * `identity_CelebA.txt`; landmarks in `list_landmarks_align_celeba.txt` or `list_landmarks_celeba.txt`; attributes in
 * `list_attr_celeba.txt`.
 */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {FileError} from '../../errors.ts';
import {attributesText} from './celeba-attributes.ts';
import type {SourcePicture} from './picture-source.ts';
import {readSourceFile} from './read-source.ts';

/** Both eyes, the nose, both corners of the mouth: x and y of each, in pixels. */
export type FaceLandmarks = readonly (readonly [x: number, y: number])[];

export interface FacePicture extends SourcePicture {
  readonly person: string;
  /** Where they are known. */
  readonly landmarks?: FaceLandmarks | undefined;
}

const layouts = [
  {pictures: 'img_align_celeba', landmarks: 'list_landmarks_align_celeba.txt'},
  {pictures: 'img_celeba', landmarks: 'list_landmarks_celeba.txt'},
];
const identities = 'identity_CelebA.txt';

export function isCelebA(folder: string): boolean {
  return existsSync(join(folder, identities));
}

/** In the order of the identities' file. @throws FileError where something is missing or damaged */
export async function readCelebA(folder: string): Promise<FacePicture[]> {
  const layout = layouts.find(({pictures}) => existsSync(join(folder, pictures)));
  if (layout === undefined) {
    throw new FileError(
      `${folder}: expected CelebA's pictures in ${layouts.map(({pictures}) => pictures).join(' or ')}. Unpack them there.`,
    );
  }
  const landmarks = await readTable(join(folder, layout.landmarks), 10);
  const attributes = await readTable(join(folder, 'list_attr_celeba.txt'));
  const path = join(folder, identities);
  return (await readLines(path)).map((line, index) => {
    const [file, person, ...rest] = line.split(/\s+/);
    if (file === undefined || !/^[\w-]+\.\w+$/.test(file) || person === undefined || rest.length > 0) {
      throw new FileError(
        `${path}:${index + 1}: expected a picture's name and a person's number, got '${line}'.`,
      );
    }
    const points = landmarks?.rows.get(file);
    const values = attributes?.rows.get(file);
    const name = `${layout.pictures}/${file}`;
    // Attributes in words are a caption where there is no better one.
    const caption = values && attributesText(attributes!.columns.filter((_, i) => values[i] === 1));
    return {
      name,
      person,
      load: async () => ({bytes: await readSourceFile(join(folder, name)), caption}),
      landmarks: points && Array.from({length: 5}, (_, i) => [points[2 * i]!, points[2 * i + 1]!] as const),
    };
  });
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: ReadonlyMap<string, readonly number[]>;
}

/** A count; names of columns; then a picture and its numbers on each line. Absent where the file is. */
async function readTable(path: string, columnCount?: number): Promise<Table | undefined> {
  if (!existsSync(path)) return undefined;
  const [, names = '', ...lines] = await readLines(path);
  const columns = names.trim().split(/\s+/);
  const rows = new Map<string, readonly number[]>();
  for (const [index, line] of lines.entries()) {
    const [file, ...texts] = line.split(/\s+/);
    const numbers = texts.map(Number);
    if (numbers.length !== (columnCount ?? columns.length) || !numbers.every(Number.isFinite)) {
      throw new FileError(
        `${path}:${index + 3}: expected a picture's name and ${columnCount ?? columns.length} numbers, got '${line}'.`,
      );
    }
    rows.set(file!, numbers);
  }
  return {columns, rows};
}

async function readLines(path: string): Promise<string[]> {
  const text = (await readSourceFile(path)).toString('utf8');
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map(line => line.trim());
}
