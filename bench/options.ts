/**
 * Options of the bench's programs, checked.
 */
import {ArgumentError} from '../lib/errors.ts';
import type {ComputeDType} from '../lib/pipelines/compute-dtype.ts';

const dtypes: readonly string[] = ['float32', 'bfloat16', 'float16'] satisfies ComputeDType[];

/** Names in a list with commas, each of which must be known. */
export function namesIn(option: string, list: string, known: readonly string[]): string[] {
  const names = list.split(',');
  const unknown = names.find(name => !known.includes(name));
  if (unknown === undefined) return names;
  throw new ArgumentError(`${option}: expected some of ${known.join(', ')} but received '${unknown}'.`);
}

export function dtypesIn(list: string): ComputeDType[] {
  return namesIn('--dtype', list, dtypes) as ComputeDType[];
}

export function positiveNumber(option: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new ArgumentError(`${option}: expected a positive number but received '${text}'.`);
}

/** Runs a program; a bad option is one line on stderr and the exit status 2. */
export async function runProgram(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
