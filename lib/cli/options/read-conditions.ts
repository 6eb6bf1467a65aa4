import {readFile} from 'node:fs/promises';
import {dirname} from 'node:path';
import {z} from 'zod';
import {ArgumentError, FileError} from '../../errors.ts';
import {pathFrom} from '../../files/path-from.ts';
import {conditionFields} from '../../jobs/job-fields.ts';
import type {Condition} from '../../pipelines/generate-options.ts';

/**
 * Conditions from a JSON file, whose paths are relative to it.
 *
 * @throws FileError where it cannot be read; ArgumentError where it has something else
 */
export async function readConditions(path: string): Promise<Condition[]> {
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new FileError(
      `${path}: expected a JSON file with conditions, but ${cause.message}. Check the path.`,
      {cause},
    );
  });
  const conditions = z.array(conditionFields(pathFrom(dirname(path)))).min(1);
  const parsed = conditions.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new ArgumentError(
    `${path}: expected a JSON list of conditions: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}. ` +
      'Each has an image, and what `generate` takes of a condition.',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
