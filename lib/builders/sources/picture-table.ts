/**
 * Parquet tables with a picture to a row, as CommonCatalog and most picture sets on the Hugging Face hub are.
 */
import {readdir} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {ParquetFile, type ParquetRow} from '../../datasets/parquet-file.ts';
import {FileError} from '../../errors.ts';
import {unreadable} from '../../weights/read-file.ts';
import {shuffled} from '../in-rounds.ts';
import type {LoadedPicture, PictureSource, SourcePicture} from './picture-source.ts';

/** Names that columns have in known sets, the best first: CommonCatalog's captions are by BLIP-2, in `blip2_caption`. */
const pictureColumns = ['jpg', 'image', 'png', 'webp'];
const captionColumns = ['blip2_caption', 'prompt', 'text', 'caption', 'description', 'title'];
const licenseColumns = ['licensename', 'license'];

/** Parquet files of a folder and those below it, by name. */
export async function tableFiles(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder, {recursive: true});
    return names.filter(name => name.endsWith('.parquet')).sort();
  } catch (error) {
    throw unreadable(folder, error as Error);
  }
}

/**
 * @param names as `tableFiles` has them
 * @throws FileError where a table cannot be read, or has no pictures
 */
export async function openPictureTables(folder: string, names: readonly string[]): Promise<PictureSource> {
  const tables = await Promise.all(names.map(name => Table.open(join(folder, name))));
  const groups = tables.flatMap(table => table.file.rowGroups.map((rows, number) => ({table, rows, number})));
  return {
    description: 'Parquet tables of pictures',
    count: groups.reduce((sum, {rows}) => sum + rows.rowEnd - rows.rowStart, 0),
    // Group by group: a row is read with its whole group.
    *shuffled(seed) {
      for (const {table, rows, number} of shuffled(groups, seed)) {
        const count = rows.rowEnd - rows.rowStart;
        const order = shuffled(
          Array.from({length: count}, (_, row) => row),
          seed + rows.rowStart,
        );
        for (const row of order) yield table.picture(number, row);
      }
    },
  };
}

class Table {
  readonly file: ParquetFile;
  readonly #picture: string;
  readonly #caption: string | undefined;
  readonly #license: string | undefined;
  #latest: {readonly group: number; readonly rows: Promise<ParquetRow[]>} | undefined;

  private constructor(file: ParquetFile, picture: string) {
    const present = (names: readonly string[]) => names.find(name => file.columns.includes(name));
    this.file = file;
    this.#picture = picture;
    this.#caption = present(captionColumns);
    this.#license = present(licenseColumns);
  }

  static async open(path: string): Promise<Table> {
    const file = await ParquetFile.open(path);
    const picture = pictureColumns.find(name => file.columns.includes(name));
    if (picture !== undefined) return new Table(file, picture);
    throw new FileError(
      `${path}: expected a column of pictures, one of ${pictureColumns.join(', ')}; got ${file.columns.join(', ')}. ` +
        'Rename the column that has them.',
    );
  }

  picture(group: number, row: number): SourcePicture {
    const name = `${basename(this.file.path)}:${this.file.rowGroups[group]!.rowStart + row + 1}`;
    return {name, load: async () => this.#load(name, (await this.#rows(group))[row]!)};
  }

  #load(name: string, row: ParquetRow): LoadedPicture {
    const bytes = bytesOf(row[this.#picture]);
    if (bytes === undefined)
      throw new FileError(`${name}: expected a picture in '${this.#picture}', got none.`);
    return {bytes, caption: textOf(row, this.#caption), license: textOf(row, this.#license)};
  }

  /** The group that was asked for last stays. */
  #rows(group: number): Promise<ParquetRow[]> {
    if (this.#latest?.group !== group) {
      const columns = [this.#picture, this.#caption, this.#license].filter(name => name !== undefined);
      this.#latest = {group, rows: this.file.readRows(group, columns, {utf8: false})};
    }
    return this.#latest.rows;
  }
}

/** Of a column of bytes, or of `datasets`' images: a struct with `bytes`. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value === null || typeof value !== 'object' || !('bytes' in value)) return undefined;
  return value.bytes instanceof Uint8Array ? value.bytes : undefined;
}

function textOf(row: ParquetRow, column: string | undefined): string | undefined {
  const value = column === undefined ? undefined : row[column];
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
}
