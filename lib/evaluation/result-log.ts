/**
 * `results.jsonl`: a line for each picture that was made and scored, from which an evaluation goes on.
 */
import {access, appendFile, readFile, rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {FileError} from '../errors.ts';
import {type PictureRecord, pictureRecord} from './picture-record.ts';

export class ResultLog {
  readonly #path: string;
  readonly #records: Map<string, PictureRecord>;

  private constructor(path: string, records: Map<string, PictureRecord>) {
    this.#path = path;
    this.#records = records;
  }

  /**
   * Of a folder. A line that a process which was ended left unfinished, and lines without a picture, go.
   *
   * @throws FileError where it cannot be read or written to
   */
  static async open(folder: string): Promise<ResultLog> {
    const path = join(folder, 'results.jsonl');
    const records = new Map<string, PictureRecord>();
    try {
      const text = await readFile(path, 'utf8').catch(ifMissing);
      for (const line of text.split('\n')) {
        const record = parseLine(line);
        if (record !== undefined && (await exists(picturePath(folder, record.id)))) {
          records.set(record.id, record);
        }
      }
      const kept = linesOf([...records.values()]);
      if (kept !== text) {
        await writeFile(`${path}.partial`, kept, {flush: true});
        await rename(`${path}.partial`, path);
      }
    } catch (cause) {
      throw cannotBeUsed(path, cause);
    }
    return new ResultLog(path, records);
  }

  get(id: string): PictureRecord | undefined {
    return this.#records.get(id);
  }

  /** @throws FileError where the disk is full */
  async add(records: readonly PictureRecord[]): Promise<void> {
    try {
      await appendFile(this.#path, linesOf(records), {flush: true});
    } catch (cause) {
      throw cannotBeUsed(this.#path, cause);
    }
    for (const record of records) this.#records.set(record.id, record);
  }
}

/** Of a picture by its id. */
export function picturePath(folder: string, id: string): string {
  return join(folder, 'pictures', `${id}.png`);
}

function parseLine(line: string): PictureRecord | undefined {
  try {
    return pictureRecord.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function linesOf(records: readonly PictureRecord[]): string {
  return records.map(record => `${JSON.stringify(record)}\n`).join('');
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function ifMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

function cannotBeUsed(path: string, cause: unknown): FileError {
  return new FileError(
    `${path}: cannot be read or written: ${(cause as Error).message}. Has the disk room?`,
    {
      cause,
    },
  );
}
