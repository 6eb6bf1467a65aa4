/**
 * `manifest.parquet`: one row a sample, with the columns that lines of `manifest.jsonl` have as fields.
 */
import {join} from 'node:path';
import type {DatasetProblem, DatasetSample} from './dataset-sample.ts';
import {manifestFields, parseManifestFields, type ReadSamples} from './manifest.ts';
import {ParquetFile} from './parquet-file.ts';

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
  const file = await ParquetFile.open(path);
  const columns = Object.keys(manifestFields.shape).filter(name => file.columns.includes(name));
  for (const group of file.rowGroups.keys()) {
    for (const row of await file.readRows(group, columns)) {
      const place = `${path}:${++number}`;
      // A field that a line leaves out is null in a row.
      const fields = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
      const sample = parseManifestFields(folder, fields, place);
      if (typeof sample === 'string') problems.push({place, reason: sample});
      else samples.push(sample);
    }
  }
  return {samples, problems};
}
