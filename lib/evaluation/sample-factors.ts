/**
 * The factors that samples of a drawn world were made from.
 */
import {readFile} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {z} from 'zod';
import type {DatasetSample} from '../datasets/dataset-sample.ts';
import {factorsSchema} from '../datasets/world/factors.ts';
import {FileError} from '../errors.ts';

const line = z.object({
  key: z.string(),
  target: factorsSchema,
  condition: z.object({factors: factorsSchema}),
});

/** Of the target, and of the condition. */
export type SampleFactors = Omit<z.infer<typeof line>, 'key'>;

/**
 * Reads `factors.jsonl` of a training set: factors by the samples' keys.
 *
 * @throws FileError where the set has none, or a line is damaged
 */
export async function readSampleFactors(folder: string): Promise<ReadonlyMap<string, SampleFactors>> {
  const path = join(folder, 'factors.jsonl');
  try {
    const lines = (await readFile(path, 'utf8')).split('\n').filter(text => text !== '');
    return new Map(
      lines.map(text => {
        const {key, ...factors} = line.parse(JSON.parse(text));
        return [key, factors];
      }),
    );
  } catch (cause) {
    throw new FileError(
      `${path}: expected the factors of each sample, one a line: ${(cause as Error).message}. ` +
        'Draw the set with `ipai dataset world`, or evaluate without a factor reader.',
      {cause},
    );
  }
}

/** @throws FileError where they are not known */
export function factorsOf(sample: DatasetSample, known: ReadonlyMap<string, SampleFactors>): SampleFactors {
  const key = sampleKey(sample);
  const factors = known.get(key);
  if (factors !== undefined) return factors;
  throw new FileError(
    `${sample.place}: expected its factors in factors.jsonl, under the key '${key}', got none. ` +
      'Take the factors.jsonl that was drawn with the set.',
  );
}

/** A sample's key, as shards have it and as the names of a drawn world's pictures begin. */
function sampleKey({target, place}: DatasetSample): string {
  if (target.part !== undefined) return place.slice(place.lastIndexOf(':') + 1);
  return basename(target.file).split('.')[0]!;
}
