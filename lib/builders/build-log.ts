/**
 * `build.jsonl`: a line for each draft that was made or left out, from which a build goes on.
 */
import {join} from 'node:path';
import {z} from 'zod';
import {manifestFields} from '../datasets/manifest.ts';
import {exists} from '../files/exists.ts';
import {JsonLines} from '../files/json-lines.ts';

const sampleLine = z.object({
  key: z.string(),
  sample: manifestFields,
  sources: z.array(z.object({name: z.string(), license: z.string().optional()})),
  /** SHA-256 of the samples of target and condition. */
  sha256: z.string(),
});

const leftOutLine = z.object({key: z.string(), leftOut: z.string(), detail: z.string().optional()});

const logLine = z.union([sampleLine, leftOutLine]);

export type SampleLine = z.infer<typeof sampleLine>;
export type LogLine = z.infer<typeof logLine>;
export type BuildLog = JsonLines<LogLine>;

/** That of a folder, without the lines whose pictures are not there. @throws FileError where it cannot be read or written */
export function openBuildLog(folder: string): Promise<BuildLog> {
  return JsonLines.open(join(folder, 'build.jsonl'), {
    schema: logLine,
    keyOf: ({key}) => key,
    isKept: line => hasPictures(folder, line),
  });
}

export function isSampleLine(line: LogLine): line is SampleLine {
  return 'sample' in line;
}

async function hasPictures(folder: string, line: LogLine): Promise<boolean> {
  if (!isSampleLine(line)) return true;
  const paths = [line.sample.target, line.sample.condition].map(path => join(folder, path));
  return (await Promise.all(paths.map(exists))).every(isThere => isThere);
}
