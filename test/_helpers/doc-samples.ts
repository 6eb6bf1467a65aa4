/**
 * The fenced samples of the documents, and what is said of each beside its language:
 *
 * - `no-run: REASON`: it is not run, and the reason says what a machine would need
 * - `background`: it is run until the page ends, and ended then as an operator would, by SIGTERM
 * - `file: NAME`: what it shows is a file that later samples read
 *
 * Text without any of these is shown, and is no sample.
 */
import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

export type SampleUse =
  | {readonly kind: 'run' | 'background'}
  | {readonly kind: 'no-run'; readonly reason: string}
  | {readonly kind: 'file'; readonly name: string};

export interface DocSample {
  readonly language: string;
  readonly use: SampleUse;
  readonly text: string;
  /** For messages: file and line. */
  readonly place: string;
}

export interface DocPage {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
  readonly samples: readonly DocSample[];
}

/** README.md and all pages below docs/, but for what TypeDoc writes there. */
export function readPages(): DocPage[] {
  const guide = readdirSync(path.join(repository, 'docs'), {recursive: true, encoding: 'utf8'})
    .filter(name => name.endsWith('.md') && !name.startsWith('api'))
    .sort();
  return ['README.md', ...guide.map(name => path.join('docs', name))].map(readPage);
}

function readPage(name: string): DocPage {
  const text = readFileSync(path.join(repository, name), 'utf8');
  const samples = [...text.matchAll(/^```(\w+)(?: ([^\n]*))?\n([\s\S]*?)^```$/gm)].map(
    ([, language, info, body], index, {[index]: match}) => {
      const line = text.slice(0, match!.index).split('\n').length;
      const place = `${name}:${line}`;
      return {language: language!, use: parseUse(info, place), text: body!, place};
    },
  );
  const fences = text.match(/^```/gm)?.length ?? 0;
  if (fences !== 2 * samples.length) throw new Error(`${name}: expected each fence to name a language`);
  return {path: name, text, samples};
}

function parseUse(info: string | undefined, place: string): SampleUse {
  if (info === undefined) return {kind: 'run'};
  if (info === 'background') return {kind: 'background'};
  const [, key, value] = /^(no-run|file): (.+)$/.exec(info) ?? [];
  if (key === 'no-run') return {kind: 'no-run', reason: value!};
  if (key === 'file') return {kind: 'file', name: value!};
  throw new Error(`${place}: expected no-run: REASON, file: NAME or background, got '${info}'`);
}
