/**
 * A training set on disk: a folder with `manifest.jsonl` or `manifest.parquet` and pictures, or with tar shards, or all of
 * them; and instructions in `instructions/TASK.txt`, one a line.
 */
import {readdir, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import type {DatasetProblem, DatasetSample} from './dataset-sample.ts';
import {readManifest} from './manifest.ts';
import {readParquetManifest} from './parquet-manifest.ts';
import {readTarSamples} from './tar-samples.ts';

/** A training set on disk. */
export interface Dataset {
  readonly folder: string;
  /** In the order of `manifest.jsonl`, then of `manifest.parquet`, then of the shards by name. */
  readonly samples: readonly DatasetSample[];
  /** Instructions of each task that has a file. */
  readonly instructions: ReadonlyMap<string, readonly string[]>;
  /** Lines and keys that are left out. */
  readonly problems: readonly DatasetProblem[];
}

/** Their headers are far apart, and each is waited for. */
const shardsAtOnce = 8;

/**
 * Reads what a folder holds; pictures are read when they are asked for.
 *
 * @throws FileError where the folder cannot be read, a shard or Parquet file is damaged, or there is no sample at all
 */
export async function openDataset(folder: string): Promise<Dataset> {
  const names = await listFolder(folder);
  const parts = names.includes('manifest.jsonl') ? [await readManifest(folder)] : [];
  if (names.includes('manifest.parquet')) parts.push(await readParquetManifest(folder));
  const shards = names.filter(file => file.endsWith('.tar')).sort();
  for (let begin = 0; begin < shards.length; begin += shardsAtOnce) {
    const some = shards.slice(begin, begin + shardsAtOnce);
    parts.push(...(await Promise.all(some.map(name => readTarSamples(join(folder, name))))));
  }
  const samples = parts.flatMap(part => part.samples);
  const problems = parts.flatMap(part => part.problems);
  if (samples.length === 0) {
    const [first] = problems;
    throw new FileError(
      `${folder}: expected manifest.jsonl, manifest.parquet or tar shards with at least one sample, got ` +
        `${first === undefined ? 'none' : `${problems.length} that cannot be used (${first.place}: ${first.reason})`}.`,
    );
  }
  return {folder, samples, instructions: await readInstructions(folder, names), problems};
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new FileError(`${folder}: expected a folder with a training set: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

async function readInstructions(
  folder: string,
  names: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const pools = new Map<string, readonly string[]>();
  if (!names.includes('instructions')) return pools;
  const path = join(folder, 'instructions');
  for (const name of (await listFolder(path)).filter(file => file.endsWith('.txt')).sort()) {
    const text = await readFile(join(path, name), 'utf8');
    const lines = text.split(/\r?\n/).map(line => line.trim());
    pools.set(
      name.slice(0, -'.txt'.length),
      lines.filter(line => line !== ''),
    );
  }
  return pools;
}
