/**
 * `manifest.jsonl`: one JSON object a line, with paths relative to the folder.
 */
import {createReadStream} from 'node:fs';
import {isAbsolute, join, normalize} from 'node:path';
import {createInterface} from 'node:readline';
import {z} from 'zod';
import {type DatasetProblem, type DatasetSample, sampleFields} from './dataset-sample.ts';

export const manifestFields = sampleFields.extend({target: z.string().min(1), condition: z.string().min(1)});

export interface ReadSamples {
  readonly samples: readonly DatasetSample[];
  readonly problems: readonly DatasetProblem[];
}

/** Samples of a manifest in the order of its lines; lines that are none become problems. */
export async function readManifest(folder: string): Promise<ReadSamples> {
  const path = join(folder, 'manifest.jsonl');
  const samples: DatasetSample[] = [];
  const problems: DatasetProblem[] = [];
  const lines = createInterface({input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY});
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const place = `${path}:${number}`;
    const sample = parseLine(folder, line, place);
    if (typeof sample === 'string') problems.push({place, reason: sample});
    else samples.push(sample);
  }
  return {samples, problems};
}

function parseLine(folder: string, line: string, place: string): DatasetSample | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not a line of JSON';
  }
  return parseManifestFields(folder, value, place);
}

/** The sample, or why the fields of a line or row are none. */
export function parseManifestFields(folder: string, value: unknown, place: string): DatasetSample | string {
  const parsed = manifestFields.safeParse(value);
  if (!parsed.success) return describeIssues(parsed.error);
  const {target, condition, ...fields} = parsed.data;
  const outside = [target, condition].find(path => !isInside(path));
  if (outside !== undefined) return `'${outside}' does not lie in the folder`;
  return {
    ...fields,
    target: {file: join(folder, target)},
    condition: {file: join(folder, condition)},
    place,
  };
}

/** A manifest may come from anywhere: what it names stays in its folder. */
function isInside(path: string): boolean {
  return !isAbsolute(path) && !normalize(path).split(/[\\/]/).includes('..');
}

export function describeIssues(error: z.ZodError): string {
  return error.issues.map(({path, message}) => `${path.join('.') || 'line'}: ${message}`).join('; ');
}
