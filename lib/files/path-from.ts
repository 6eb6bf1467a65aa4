import {resolve} from 'node:path';
import {z} from 'zod';

/** A path, which is taken to be relative to a folder. */
export type PathField = ReturnType<typeof pathFrom>;

/** The field of a path in a file that lies in `folder`. */
export function pathFrom(folder: string) {
  return z
    .string()
    .min(1)
    .transform(name => resolve(folder, name));
}
