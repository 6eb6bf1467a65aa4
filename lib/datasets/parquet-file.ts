/**
 * Parquet files, of which one row group is in memory at a time.
 */
import type {FileMetaData} from 'hyparquet';
import {FileError} from '../errors.ts';
import {readBytes, withFile} from '../weights/read-file.ts';

export type ParquetRow = Readonly<Record<string, unknown>>;

export interface RowGroup {
  readonly rowStart: number;
  readonly rowEnd: number;
}

export class ParquetFile {
  readonly path: string;
  /** Names of the columns at the top. */
  readonly columns: readonly string[];
  readonly rowGroups: readonly RowGroup[];
  readonly #metadata: FileMetaData;

  private constructor(path: string, metadata: FileMetaData, columns: readonly string[]) {
    this.path = path;
    this.columns = columns;
    this.#metadata = metadata;
    let rowStart = 0;
    this.rowGroups = metadata.row_groups.map(group => {
      const begin = rowStart;
      rowStart += Number(group.num_rows);
      return {rowStart: begin, rowEnd: rowStart};
    });
  }

  /** @throws FileError where the file cannot be read, or is no Parquet file */
  static open(path: string): Promise<ParquetFile> {
    return readParquet(path, async () => {
      // ES modules only, which the package's CommonJS bundle can import but not require.
      const {parquetMetadataAsync, parquetSchema} = await import('hyparquet');
      const metadata = await withFile(path, (handle, byteLength) =>
        parquetMetadataAsync({
          byteLength,
          slice: async (begin, end = byteLength) =>
            asArrayBuffer(await readBytes(handle, path, begin, end - begin)),
        }),
      );
      const columns = parquetSchema(metadata).children.map(({element}) => element.name);
      return new ParquetFile(path, metadata, columns);
    });
  }

  /**
   * Rows of a group.
   *
   * @param columns some of `columns`
   * @param utf8 whether byte arrays of which the file does not say what they are become text; default: true
   * @throws FileError where they are damaged
   */
  readRows(
    group: number,
    columns: readonly string[],
    {utf8 = true}: {readonly utf8?: boolean} = {},
  ): Promise<ParquetRow[]> {
    return readParquet(this.path, async () => {
      const {parquetReadObjects} = await import('hyparquet');
      const {compressors} = await import('hyparquet-compressors');
      const {begin, end} = this.#bytesOf(group);
      // At once: hyparquet reads parts beside each other, and one that failed after another would end the process.
      const bytes = await withFile(this.path, (handle, byteLength) => {
        if (begin >= 0 && end <= byteLength) return readBytes(handle, this.path, begin, end - begin);
        throw new Error(`it names bytes ${begin} to ${end} of ${byteLength}`);
      });
      const file = {
        byteLength: end,
        slice: (from: number, to = end) => asArrayBuffer(bytes.subarray(from - begin, to - begin)),
      };
      return parquetReadObjects({
        file,
        metadata: this.#metadata,
        columns: [...columns],
        ...this.rowGroups[group]!,
        compressors,
        utf8,
      });
    });
  }

  #bytesOf(group: number): {begin: number; end: number} {
    const chunks = this.#metadata.row_groups[group]!.columns.map(({meta_data: chunk}) => {
      if (chunk === undefined) throw new Error('a column has no description');
      // Some writers give 0 where there is no dictionary.
      const begin = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
      return {begin, end: begin + Number(chunk.total_compressed_size)};
    });
    return {
      begin: Math.min(...chunks.map(({begin}) => begin)),
      end: Math.max(...chunks.map(({end}) => end)),
    };
  }
}

async function readParquet<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof FileError) throw cause;
    throw new FileError(
      `${path}: expected a Parquet file, but it cannot be read: ${(cause as Error).message}. Write it again.`,
      {cause},
    );
  }
}

function asArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
