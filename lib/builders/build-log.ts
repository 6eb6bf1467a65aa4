/**
 * `build.jsonl`: a line for each draft that was made or left out, from which a build goes on.
 */
import {access, appendFile, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {z} from 'zod';
import {manifestFields} from '../datasets/manifest.ts';
import {FileError} from '../errors.ts';
import {writeWholeFile} from '../weights/write-file.ts';

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

export class BuildLog {
  readonly #path: string;
  readonly #lines: Map<string, LogLine>;

  private constructor(path: string, lines: Map<string, LogLine>) {
    this.#path = path;
    this.#lines = lines;
  }

  /**
   * Of a folder. A line that a process which was ended left unfinished, and lines whose pictures are not there, go.
   *
   * @throws FileError where it cannot be read or written
   */
  static async open(folder: string): Promise<BuildLog> {
    const path = join(folder, 'build.jsonl');
    const text = await readFile(path, 'utf8').catch(cause => {
      if (cause.code === 'ENOENT') return '';
      throw new FileError(
        `${path}: cannot be read: ${cause.message}. Check that it is a file you may read.`,
        {cause},
      );
    });
    const lines = new Map<string, LogLine>();
    for (const line of text.split('\n')) {
      const parsed = parseLine(line);
      if (parsed !== undefined && (await hasPictures(folder, parsed))) lines.set(parsed.key, parsed);
    }
    const kept = linesOf([...lines.values()]);
    if (kept !== text) await writeWholeFile(path, [Buffer.from(kept)]);
    return new BuildLog(path, lines);
  }

  get(key: string): LogLine | undefined {
    return this.#lines.get(key);
  }

  /**
   * Takes lines with their fields in the order in which they are read again.
   *
   * @throws FileError where the disk is full
   */
  async add(lines: readonly LogLine[]): Promise<readonly LogLine[]> {
    const ordered = lines.map(line => logLine.parse(line));
    try {
      await appendFile(this.#path, linesOf(ordered), {flush: true});
    } catch (cause) {
      throw new FileError(
        `${this.#path}: cannot be written: ${(cause as Error).message}. Has the disk room?`,
        {
          cause,
        },
      );
    }
    for (const line of ordered) this.#lines.set(line.key, line);
    return ordered;
  }
}

export function isSampleLine(line: LogLine): line is SampleLine {
  return 'sample' in line;
}

function parseLine(line: string): LogLine | undefined {
  try {
    return logLine.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

async function hasPictures(folder: string, line: LogLine): Promise<boolean> {
  if (!isSampleLine(line)) return true;
  const paths = [line.sample.target, line.sample.condition].map(path => access(join(folder, path)));
  return (await Promise.allSettled(paths)).every(({status}) => status === 'fulfilled');
}

function linesOf(lines: readonly LogLine[]): string {
  return lines.map(line => `${JSON.stringify(line)}\n`).join('');
}
