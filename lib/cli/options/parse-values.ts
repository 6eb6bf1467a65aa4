/**
 * From the words of a command line to values. What is no number is wrong usage; whether a number makes sense is for the
 * pipeline to say.
 */
import {InvalidArgumentError} from 'commander';
import {adapterScale} from '../../jobs/job-fields.ts';
import {blockPresets} from '../../pipelines/block-presets.ts';
import type {AdapterScale} from '../../pipelines/generate-options.ts';
import type {LoraFile} from '../../pipelines/lora-adapters.ts';

export function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

/** For options that may be given several times. */
export function collect(text: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), text];
}

export function collectNumbers(text: string, earlier: number[] | undefined): number[] {
  return [...(earlier ?? []), parseNumber(text)];
}

export function collectChoices<const Choice extends string>(choices: readonly Choice[]) {
  return (text: string, earlier: Choice[] | undefined): Choice[] => {
    if (!choices.includes(text as Choice)) {
      throw new InvalidArgumentError(`Expected one of ${choices.join(', ')}.`);
    }
    return [...(earlier ?? []), text as Choice];
  };
}

export type Pair = readonly [string, string];

/** @param form for the message, such as `name=file` */
export function splitPair(text: string, form: string): Pair {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return [text.slice(0, at), text.slice(at + 1)];
  throw new InvalidArgumentError(`Expected ${form}.`);
}

/** Files by names, each name once. */
export function collectNamedFiles(
  text: string,
  earlier: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const [name, file] = splitPair(text, 'name=file');
  if (earlier !== undefined && Object.hasOwn(earlier, name)) {
    throw new InvalidArgumentError(`Expected another name than '${name}' for a second file.`);
  }
  return {...earlier, [name]: file};
}

/** `file:weight`, or the file alone, whose path may have colons of its own. */
export function collectLoras(text: string, earlier: readonly LoraFile[] | undefined): LoraFile[] {
  const [, path = text, weight] = /^(.+):([^:/\\]*)$/.exec(text) ?? [];
  const lora = weight === undefined ? {path} : {path, weight: parseNumber(weight)};
  return [...(earlier ?? []), lora];
}

/** A number, JSON with numbers by block or by layer, or a preset: what a job has there. */
export function parseAdapterScale(text: string): AdapterScale {
  if (!Number.isNaN(Number(text))) return parseNumber(text);
  const parsed = adapterScale.safeParse(/^\s*[[{]/.test(text) ? parseJson(text) : text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(
    `Expected a number, numbers in JSON, by block or one for each layer, or a preset, NAME or NAME:SCALE, of ${blockPresets.join(', ')}.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidArgumentError(`Expected a number, a preset or JSON: ${(cause as Error).message}.`);
  }
}

/** The value itself where an option was given once, so that it stands for all samples. */
export function single<T>(values: readonly T[]): T | readonly T[];
export function single<T>(values: readonly T[] | undefined): T | readonly T[] | undefined;
export function single<T>(values: readonly T[] | undefined): T | readonly T[] | undefined {
  return values?.length === 1 ? values[0] : values;
}

type Defined<T> = {[Key in keyof T]?: Exclude<T[Key], undefined>};

/** The object without its undefined values: an option that was not given is absent. */
export function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
