/**
 * Files of jobs: a JSON object on each line.
 */
import {createHash} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {z} from 'zod';
import {ArgumentError, FileError} from '../errors.ts';
import {pathFrom} from '../files/path-from.ts';
import type {JobOptions} from './job.ts';
import {jobFields} from './job-fields.ts';

/** A line of such a file. */
export interface Job {
  /** Its name among the jobs, and that of its picture. */
  readonly id: string;
  /** The line as it was written, with the defaults. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Jobs of higher priority go first; the picture does not depend on it. Default: 0. */
  readonly priority?: number;
  /** What the line says; or what is wrong with it. */
  readonly options: JobOptions | ArgumentError;
}

/** Becomes the name of a file, whatever the system. */
export const jobId = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/, 'expected letters, digits, "-", "_" and "."');

/** Large enough for any order, small enough for every queue. */
const maxPriority = 1_000_000;
export const jobPriority = z.int().min(-maxPriority).max(maxPriority);

/**
 * Reads a file of jobs: on each line the options of one picture, under the names that `generate` has for them, with paths
 * relative to the file. A job may name itself by an `id`, which by default is the number of its line; its `seed` is by
 * default drawn from the id, so that it is the same whenever the job is made. A whole number `priority` says which go first.
 *
 * @param defaults options of jobs that do not say otherwise
 * @throws FileError where the file cannot be read; ArgumentError where it has no jobs, or two of one name
 */
export async function readJobs(path: string, defaults: Partial<JobOptions> = {}): Promise<Job[]> {
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw new FileError(
      `${path}: expected a file with a job on each line, but ${cause.message}. Check the path.`,
      {cause},
    );
  });
  const fields = jobFields(pathFrom(dirname(path))).extend({
    id: jobId.exactOptional(),
    priority: jobPriority.exactOptional(),
  });
  const jobs = new Map<string, Job>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const value = parseJson(line);
    const id = idOf(value) ?? String(index + 1).padStart(6, '0');
    const place = `${path}:${index + 1}`;
    if (jobs.has(id)) throw new ArgumentError(`${place}: expected an id of its own, but '${id}' is taken.`);
    const parsed = fields.safeParse(value);
    const {priority: _, ...given} = {...defaults, ...(typeof value === 'object' && value)} as LineFields;
    const common = {id, given};
    if (!parsed.success) jobs.set(id, {...common, options: noJob(place, parsed.error)});
    else {
      const {id: _, priority, ...options} = parsed.data;
      const own = {seed: seedOf(id), ...defaults, ...options};
      jobs.set(id, {...common, ...(priority !== undefined && {priority}), options: own});
    }
  }
  if (jobs.size > 0) return [...jobs.values()];
  throw new ArgumentError(`${path}: expected a job on each line, but there is none.`);
}

/** Whatever a line holds, beside the defaults. */
type LineFields = Record<string, unknown>;

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** That of a line which may be wrong in other ways. */
function idOf(value: unknown): string | undefined {
  return z.object({id: jobId}).safeParse(value).data?.id;
}

/** One of 2³². */
export function seedOf(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE();
}

function noJob(place: string, error: z.ZodError): ArgumentError {
  const problems = error.issues
    .map(({path, message}) => `${path.join('.') || 'line'}: ${message}`)
    .join('; ');
  return new ArgumentError(`${place}: expected a JSON object with the options of a picture. ${problems}.`);
}
