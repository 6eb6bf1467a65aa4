/**
 * `results.jsonl`: a line for each job that was done or failed, from which a run of jobs goes on.
 */
import {join} from 'node:path';
import {z} from 'zod';
import {exists} from '../files/exists.ts';
import {JsonLines} from '../files/json-lines.ts';

const common = {
  id: z.string(),
  /** Hash of all that the picture depends on. */
  settings: z.string(),
};

const doneLine = z.object({
  ...common,
  /** Of the picture, in the folder. */
  file: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
  seed: z.int().nonnegative(),
});

const failedLine = z.object({...common, error: z.object({code: z.string(), message: z.string()})});

/** The form of a line of `results.jsonl`. */
export const logLine = z.union([doneLine, failedLine]);

/** A line of `results.jsonl` for a picture that was made. */
export type DoneLine = z.infer<typeof doneLine>;
/** A line of `results.jsonl` for a job that failed: the error's code and message. */
export type FailedLine = z.infer<typeof failedLine>;
/** A line of `results.jsonl`. */
export type JobLine = DoneLine | FailedLine;
export type JobLog = JsonLines<JobLine>;

/** Whether the job's picture is there. */
export function isDone(line: JobLine): line is DoneLine {
  return 'file' in line;
}

/**
 * That of a folder: without the lines whose pictures are not there, where they should be.
 *
 * @throws FileError where it cannot be read or written
 */
export function openJobLog(folder: string, {pictures}: {pictures: 'here' | 'elsewhere'}): Promise<JobLog> {
  const isKept = async (line: JobLine) => !isDone(line) || exists(join(folder, line.file));
  return JsonLines.open(join(folder, 'results.jsonl'), {
    schema: logLine,
    keyOf: ({id}) => id,
    ...(pictures === 'here' && {isKept}),
  });
}
