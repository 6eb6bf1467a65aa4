/**
 * What a finished build says of itself, to programs and to readers.
 */
import {createHash} from 'node:crypto';
import {mkdir} from 'node:fs/promises';
import {join} from 'node:path';
import {instructionPool} from '../datasets/instructions/instruction-pool.ts';
import type {PaperTask} from '../datasets/instructions/tasks.ts';
import {writeWholeFile} from '../files/write-whole-file.ts';
import {isSampleLine, type LogLine, type SampleLine} from './build-log.ts';
import type {Builder} from './builder.ts';
import {writeContactSheet} from './contact-sheet.ts';

/** `card.json`. */
export interface BuildCard {
  readonly description: string;
  readonly task: PaperTask;
  /** Samples. */
  readonly count: number;
  /** Samples that were asked for. */
  readonly wanted: number;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly filters: readonly string[];
  /** Drafts that made no sample, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** Pictures that samples are made of. */
  readonly sources: number;
  /** These pictures by licence, as their source gives it. */
  readonly licenses: Readonly<Record<string, number>>;
  /** SHA-256 of all samples in their order: their fields and their pictures. */
  readonly sha256: string;
}

export interface CardContents {
  readonly builder: Pick<Builder<unknown>, 'task' | 'description' | 'filters'>;
  readonly count: number;
  readonly settings: Readonly<Record<string, string | number>>;
  readonly lines: readonly LogLine[];
}

/** Writes all that a training set has beside its pictures; `manifest.jsonl`, which makes it one, comes last. */
export async function writeCard(folder: string, contents: CardContents): Promise<BuildCard> {
  const samples = contents.lines.filter(isSampleLine);
  const card = cardOf(contents, samples);
  const write = (name: string, text: string) => writeWholeFile(join(folder, name), [Buffer.from(text)]);
  await mkdir(join(folder, 'instructions'), {recursive: true});
  const {task} = card;
  await write(`instructions/${task}.txt`, linesOf(instructionPool(task, 'train')));
  await writeContactSheet(folder, samples);
  await write('card.json', `${JSON.stringify(card, undefined, 2)}\n`);
  await write('README.md', readmeOf(card));
  await write('manifest.jsonl', linesOf(samples.map(({sample}) => JSON.stringify(sample))));
  return card;
}

function cardOf({builder, count, settings, lines}: CardContents, samples: readonly SampleLine[]): BuildCard {
  const {description, task, filters} = builder;
  const hash = createHash('sha256');
  for (const {sample, sha256} of samples) hash.update(`${JSON.stringify(sample)} ${sha256}\n`);
  const sources = new Map(
    samples.flatMap(line => line.sources.map(source => [source.name, source] as const)),
  );
  return {
    description,
    task,
    count: samples.length,
    wanted: count,
    settings,
    filters,
    leftOut: countBy(lines.flatMap(line => (isSampleLine(line) ? [] : [line.leftOut]))),
    sources: sources.size,
    licenses: countBy(Array.from(sources.values(), ({license}) => license ?? 'not given')),
    sha256: hash.digest('hex'),
  };
}

function readmeOf({
  description,
  task,
  count,
  settings,
  filters,
  leftOut,
  sources,
  licenses,
  sha256,
}: BuildCard): string {
  const table = (head: string, counts: Readonly<Record<string, number>>) => [
    `| ${head} | Number |`,
    '|---|---:|',
    ...Object.entries(counts).map(([name, number]) => `| ${name.replaceAll('|', '\\|')} | ${number} |`),
    '',
  ];
  return [
    `# Training set for "${task}"`,
    '',
    `${description} ${count} samples of ${sources} pictures.`,
    '',
    '![Some samples: condition, then target](contact-sheet.png)',
    '',
    '## Settings',
    '',
    ...Object.entries(settings).map(([name, value]) => `- ${name}: ${value}`),
    '',
    '## Licences',
    '',
    'As the source gives them, of each picture.',
    '',
    ...table('Licence', licenses),
    '## Left out',
    '',
    ...filters.map(filter => `- ${filter}`),
    '',
    ...(Object.keys(leftOut).length === 0 ? [] : table('Reason', leftOut)),
    `SHA-256 of all samples: ${sha256}`,
    '',
  ].join('\n');
}

/** Sorted by name. */
function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of [...names].sort()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function linesOf(lines: readonly string[]): string {
  return lines.map(line => `${line}\n`).join('');
}
