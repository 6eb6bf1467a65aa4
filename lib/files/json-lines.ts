/**
 * A file of JSON lines that long work adds to as it goes, and from which it goes on.
 */
import {appendFile, readFile} from 'node:fs/promises';
import type {z} from 'zod';
import {FileError} from '../errors.ts';
import {writeWholeFile} from './write-whole-file.ts';

export interface JsonLinesFormat<Line> {
  /** Lines that it refuses are none. */
  readonly schema: z.ZodType<Line>;
  /** What a line is of: of lines with the same key the last counts. */
  readonly keyOf: (line: Line) => string;
  /** Whether what a line tells of is still there. Default: it is. */
  readonly isKept?: (line: Line) => Promise<boolean>;
}

export class JsonLines<Line> {
  readonly #path: string;
  readonly #format: JsonLinesFormat<Line>;
  readonly #lines: Map<string, Line>;

  private constructor(path: string, format: JsonLinesFormat<Line>, lines: Map<string, Line>) {
    this.#path = path;
    this.#format = format;
    this.#lines = lines;
  }

  /**
   * Opens the file, or one that is yet to be. A line that a process which was ended left unfinished, and lines that are not
   * kept, go.
   *
   * @throws FileError where it cannot be read or written
   */
  static async open<Line>(path: string, format: JsonLinesFormat<Line>): Promise<JsonLines<Line>> {
    const text = await readFile(path, 'utf8').catch(cause => {
      if (cause.code === 'ENOENT') return '';
      throw new FileError(
        `${path}: cannot be read: ${cause.message}. Check that it is a file you may read.`,
        {cause},
      );
    });
    const lines = new Map<string, Line>();
    for (const part of text.split('\n')) {
      const line = parseLine(part, format);
      if (line !== undefined && ((await format.isKept?.(line)) ?? true)) lines.set(format.keyOf(line), line);
    }
    const kept = textOf(lines.values());
    if (kept !== text) await writeWholeFile(path, [Buffer.from(kept)]);
    return new JsonLines(path, format, lines);
  }

  get(key: string): Line | undefined {
    return this.#lines.get(key);
  }

  /** In the order of their keys' first lines. */
  values(): Iterable<Line> {
    return this.#lines.values();
  }

  /**
   * Adds lines, which are on the disk when it returns.
   *
   * @returns them as they are read again: with the schema's fields in the schema's order
   * @throws FileError where the disk is full
   */
  async add(lines: readonly Line[]): Promise<readonly Line[]> {
    const {schema, keyOf} = this.#format;
    const ordered = lines.map(line => schema.parse(line));
    try {
      await appendFile(this.#path, textOf(ordered), {flush: true});
    } catch (cause) {
      throw new FileError(
        `${this.#path}: cannot be written: ${(cause as Error).message}. Has the disk room?`,
        {
          cause,
        },
      );
    }
    for (const line of ordered) this.#lines.set(keyOf(line), line);
    return ordered;
  }
}

function parseLine<Line>(text: string, {schema}: JsonLinesFormat<Line>): Line | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function textOf<Line>(lines: Iterable<Line>): string {
  return Array.from(lines, line => `${JSON.stringify(line)}\n`).join('');
}
