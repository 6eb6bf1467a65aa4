/**
 * `results.jsonl`: a line for each picture that was made and scored, from which an evaluation goes on.
 */
import {join} from 'node:path';
import {exists} from '../files/exists.ts';
import {JsonLines} from '../files/json-lines.ts';
import {type PictureRecord, pictureRecord} from './picture-record.ts';

export type ResultLog = JsonLines<PictureRecord>;

/** That of a folder, without the lines whose pictures are not there. @throws FileError where it cannot be read or written */
export function openResultLog(folder: string): Promise<ResultLog> {
  return JsonLines.open(join(folder, 'results.jsonl'), {
    schema: pictureRecord,
    keyOf: ({id}) => id,
    isKept: ({id}) => exists(picturePath(folder, id)),
  });
}

/** Of a picture by its id. */
export function picturePath(folder: string, id: string): string {
  return join(folder, 'pictures', `${id}.png`);
}
