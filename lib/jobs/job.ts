/**
 * A job: one picture to be made, and the generations that make many of them at once.
 */
import type {GenerateOptions} from '../pipelines/generate-options.ts';
import {perSampleOptions} from '../pipelines/samples.ts';

type SampleOption = (typeof perSampleOptions)[number];
/** What belongs to a call and not to a picture. */
type CallOption =
  | 'attentionMaps'
  | 'latents'
  | 'numImagesPerPrompt'
  | 'onProgress'
  | 'onWarning'
  | 'outputType'
  | 'profile'
  | 'signal';

/** The options of `generate` for one picture, with single values. */
export type JobOptions = {
  readonly [Name in SampleOption]?: Exclude<GenerateOptions[Name], readonly unknown[]>;
} & Omit<GenerateOptions, SampleOption | CallOption> & {readonly prompt: string};

/** Stands for a text that is not there, so that jobs with and without it share batches. */
const absentText = {negativePrompt: '', negContentPrompt: ''} as const;

/** Those of a job's options for which it needs a batch of jobs that give them as well. */
function ownOptions(options: JobOptions): SampleOption[] {
  return perSampleOptions.filter(name => options[name] !== undefined && !(name in absentText));
}

const identities = new WeakMap<object, number>();
let identityCount = 0;

function identityOf(value: object): number {
  const known = identities.get(value);
  if (known !== undefined) return known;
  identities.set(value, ++identityCount);
  return identityCount;
}

/** Bytes, samples and functions stand for themselves; the order of an object's fields does not count. */
function comparable(_key: string, value: unknown): unknown {
  if (typeof value === 'function' || ArrayBuffer.isView(value)) return `#${identityOf(value)}`;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Equal for jobs that can be samples of one generation. */
export function signatureOf(options: JobOptions): string {
  const shared = Object.entries(options).filter(([name]) => !perSampleOptions.some(own => own === name));
  return JSON.stringify([ownOptions(options), Object.fromEntries(shared)], comparable);
}

/** One generation of jobs that have one signature. */
export function generationOf(jobs: readonly JobOptions[]): GenerateOptions {
  const [first] = jobs as readonly [JobOptions];
  const each = Object.fromEntries(
    ownOptions(first).map(name => [name, jobs.map(job => job[name])]),
  ) as unknown as Pick<GenerateOptions, 'prompt'>;
  const texts = Object.fromEntries(
    Object.entries(absentText)
      .filter(([name]) => jobs.some(job => job[name as keyof typeof absentText] !== undefined))
      .map(([name, absent]) => [name, jobs.map(job => job[name as keyof typeof absentText] ?? absent)]),
  );
  return {...first, ...each, ...texts} as GenerateOptions;
}
