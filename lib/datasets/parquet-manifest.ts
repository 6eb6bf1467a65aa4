/**
 * `manifest.parquet`: one row a sample, with the columns that lines of `manifest.jsonl` have as fields.
 */
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {readBytes, withFile} from '../weights/read-file.ts';
import type {DatasetProblem, DatasetSample} from './dataset-sample.ts';
import {manifestFields, parseManifestFields, type ReadSamples} from './manifest.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * Samples in the order of the rows, which are counted from 1; rows that are none become problems.
 *
 * @throws FileError where the file is damaged, or no Parquet file
 */
export async function readParquetManifest(folder: string): Promise<ReadSamples> {
  const path = join(folder, 'manifest.parquet');
  const samples: DatasetSample[] = [];
  const problems: DatasetProblem[] = [];
  let number = 0;
  await forEachRow(path, row => {
    const place = `${path}:${++number}`;
    // A field that a line leaves out is null in a row.
    const fields = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
    const sample = parseManifestFields(folder, fields, place);
    if (typeof sample === 'string') problems.push({place, reason: sample});
    else samples.push(sample);
  });
  return {samples, problems};
}

/** Rows with the columns of a manifest, of which one group is unpacked at a time. */
async function forEachRow(path: string, visit: (row: Row) => void): Promise<void> {
  // ES modules only, which the package's CommonJS bundle can import but not require.
  const {parquetMetadataAsync, parquetReadObjects, parquetSchema} = await import('hyparquet');
  const {compressors} = await import('hyparquet-compressors');
  try {
    // As a whole: reads of parts would run beside each other, and one that fails after another would end the process.
    const bytes = await withFile(path, (handle, size) => readBytes(handle, path, 0, size));
    const file = bytes.buffer as ArrayBuffer;
    const metadata = await parquetMetadataAsync(file);
    const present = parquetSchema(metadata).children.map(({element}) => element.name);
    const columns = Object.keys(manifestFields.shape).filter(name => present.includes(name));
    let rowStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = rowStart + Number(group.num_rows);
      const rows = await parquetReadObjects({file, metadata, columns, rowStart, rowEnd, compressors});
      for (const row of rows) visit(row);
      rowStart = rowEnd;
    }
  } catch (cause) {
    throw new FileError(
      `${path}: expected a Parquet file, but it cannot be read: ${(cause as Error).message}. Write it again.`,
      {cause},
    );
  }
}
