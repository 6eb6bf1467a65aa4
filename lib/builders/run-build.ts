/**
 * Builds a training set: as many samples as asked for, several at a time, from wherever an earlier build was ended.
 */
import {createHash} from 'node:crypto';
import {mkdir, readdir, readFile, rm} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {ArgumentError, FileError, invalidArgument} from '../errors.ts';
import {writeWholeFile} from '../files/write-whole-file.ts';
import type {RgbImage} from '../images/image.ts';
import {writeImage} from '../images/write-image.ts';
import {type BuildCard, writeCard} from './build-card.ts';
import {type BuildLog, isSampleLine, type LogLine, openBuildLog} from './build-log.ts';
import {type Builder, type BuiltSample, isLeftOut, type LeftOut, type SeededDraft} from './builder.ts';
import {groupBy} from './group-by.ts';

/** How far a build is. */
export interface BuildProgress {
  readonly done: number;
  readonly count: number;
  /** Drafts that made no sample. */
  readonly leftOut: number;
}

export interface RunBuildOptions {
  /** Samples; fewer are made where the source has no more. */
  readonly count: number;
  readonly seed: number;
  /** All that samples depend on beside their numbers, for the card; a build goes on with equal ones only. */
  readonly settings: Readonly<Record<string, string | number>>;
  /** Drafts that are made at a time by builders without batches. Default: one for each core. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: BuildProgress) => void) | undefined;
}

/** A source of which that many drafts in a row make nothing is another one than it was taken for. */
const fruitlessDrafts = 1000;

/**
 * Writes `manifest.jsonl` and pictures as `openDataset` reads them, `instructions/TASK.txt`, `card.json`, `README.md` and
 * `contact-sheet.png`. What is built does not depend on how often it was interrupted, nor on what ran at a time.
 *
 * @throws ArgumentError where the folder was begun with other settings; FileError where it holds something else, cannot be
 *   written, or the source makes no sample; the signal's reason on abort
 */
export async function runBuild<Draft>(
  folder: string,
  builder: Builder<Draft>,
  options: RunBuildOptions,
): Promise<BuildCard> {
  const {count, concurrency = 1} = options;
  for (const [name, value] of Object.entries({count, concurrency})) {
    if (!Number.isInteger(value) || value < 1) throw invalidArgument(name, 'an integer of at least 1', value);
  }
  await beginOrGoOn(folder, options);
  await removePartial(join(folder, 'images'));
  const log = await openBuildLog(folder);
  const used = await new BuildRun(folder, builder, options, log).run();
  const samples = used.filter(isSampleLine);
  if (samples.length === 0)
    throw new FileError(`${folder}: expected at least one sample, got none${reasonsOf(used)}.`);
  return writeCard(folder, {builder, count, settings: options.settings, lines: used});
}

/** `build.json` has the settings; a folder that has files without it is somebody else's. */
async function beginOrGoOn(folder: string, {settings, seed}: RunBuildOptions): Promise<void> {
  const path = join(folder, 'build.json');
  const wanted: Readonly<Record<string, unknown>> = {...settings, seed};
  try {
    await mkdir(join(folder, 'images'), {recursive: true});
    const names = (await readdir(folder)).filter(name => name !== 'images');
    if (names.length === 0) {
      await writeWholeFile(path, [Buffer.from(`${JSON.stringify(wanted, undefined, 2)}\n`)]);
      return;
    }
    if (!names.includes('build.json')) {
      throw new FileError(
        `${folder}: expected an empty folder, or a build to go on with, got other files. Choose another.`,
      );
    }
    const begun = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
    for (const name of new Set([...Object.keys(begun), ...Object.keys(wanted)])) {
      const [before, now] = [begun[name], wanted[name]];
      if (before === now) continue;
      throw new ArgumentError(
        `${name}: expected ${JSON.stringify(before)}, with which ${folder} was begun, got ${JSON.stringify(now)}. ` +
          'Give the same settings to go on, or another folder.',
      );
    }
  } catch (cause) {
    if (cause instanceof FileError || cause instanceof ArgumentError) throw cause;
    throw new FileError(
      `${folder}: expected a folder to build in: ${(cause as Error).message}. Choose another.`,
      {cause},
    );
  }
}

/** What a process that was ended left of pictures. */
async function removePartial(images: string): Promise<void> {
  const partial = (await readdir(images)).filter(name => name.includes('.partial-'));
  await Promise.all(partial.map(name => rm(join(images, name), {force: true})));
}

interface NumberedDraft<Draft> extends SeededDraft<Draft> {
  readonly key: string;
}

class BuildRun<Draft> {
  readonly #folder: string;
  readonly #builder: Builder<Draft>;
  readonly #options: RunBuildOptions;
  readonly #log: BuildLog;
  readonly #drafts: Iterator<NumberedDraft<Draft>>;
  readonly #used: LogLine[] = [];
  #made = 0;
  #inFlight = 0;
  #failed = false;

  constructor(folder: string, builder: Builder<Draft>, options: RunBuildOptions, log: BuildLog) {
    this.#folder = folder;
    this.#builder = builder;
    this.#options = options;
    this.#log = log;
    this.#drafts = numbered(builder.drafts(), options.seed);
  }

  /** The lines of all drafts up to the one that makes the last sample, in their order. */
  async run(): Promise<LogLine[]> {
    const {concurrency = availableParallelism()} = this.#options;
    const workers = this.#builder.batchSize > 1 ? 1 : concurrency;
    // All are waited for, so that nothing goes on after a failure.
    const results = await Promise.allSettled(Array.from({length: workers}, () => this.#work()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return this.#used.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async #work(): Promise<void> {
    try {
      for (let batch = this.#next(); batch.length > 0; batch = this.#next()) await this.#make(batch);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  /**
   * Drafts to make at once. One is begun only where it is wanted whatever becomes of those before it: so the samples are
   * those that one after the other would give.
   */
  #next(): NumberedDraft<Draft>[] {
    const batch: NumberedDraft<Draft>[] = [];
    this.#options.signal?.throwIfAborted();
    while (
      !this.#failed &&
      batch.length < this.#builder.batchSize &&
      this.#made + this.#inFlight < this.#options.count
    ) {
      const {value: draft, done} = this.#drafts.next();
      if (done) break;
      const known = this.#log.get(draft.key);
      if (known !== undefined) this.#use(known);
      else {
        batch.push(draft);
        this.#inFlight++;
      }
    }
    return batch;
  }

  async #make(batch: readonly NumberedDraft<Draft>[]): Promise<void> {
    const {signal} = this.#options;
    const outcomes = await this.#builder.make(batch, signal);
    const lines = await Promise.all(batch.map(({key}, i) => this.#write(key, outcomes[i]!)));
    const logged = await this.#log.add(lines);
    this.#inFlight -= batch.length;
    for (const line of logged) this.#use(line);
  }

  #use(line: LogLine): void {
    this.#used.push(line);
    if (isSampleLine(line)) this.#made++;
    const {count, onProgress} = this.#options;
    const leftOut = this.#used.length - this.#made;
    onProgress?.({done: this.#made, count, leftOut});
    if (this.#made > 0 || leftOut < fruitlessDrafts) return;
    throw new FileError(`the first ${leftOut} drafts made no sample${reasonsOf(this.#used)}.`);
  }

  async #write(key: string, outcome: BuiltSample | LeftOut): Promise<LogLine> {
    if (isLeftOut(outcome)) return {key, ...outcome};
    const {target, condition, fields, sources} = outcome;
    const path = (part: string) => `images/${key}.${part}.jpg`;
    const isOne = condition === target;
    await writeImage(join(this.#folder, path('target')), target);
    if (!isOne) await writeImage(join(this.#folder, path('condition')), condition);
    const sample = {
      target: path('target'),
      condition: path(isOne ? 'target' : 'condition'),
      task: this.#builder.task,
      ...fields,
    };
    return {key, sample, sources: [...sources], sha256: hashOf(target, condition)};
  }
}

function* numbered<Draft>(drafts: Iterable<Draft>, seed: number): Generator<NumberedDraft<Draft>> {
  let number = 0;
  for (const draft of drafts) {
    const key = `${number++}`.padStart(9, '0');
    yield {draft, key, seed: createHash('sha256').update(`${seed} ${key}`).digest().readUInt32LE()};
  }
}

function hashOf(...pictures: readonly RgbImage[]): string {
  const hash = createHash('sha256');
  for (const {width, height, data} of pictures) hash.update(`${width} ${height} `).update(data);
  return hash.digest('hex');
}

/** The commonest reason, and an example. */
function reasonsOf(lines: readonly LogLine[]): string {
  const left = lines.filter(line => 'leftOut' in line);
  const [commonest] = [...groupBy(left, line => line.leftOut).values()].sort((a, b) => b.length - a.length);
  if (commonest === undefined) return '; the source has no drafts';
  const {leftOut, detail} = commonest[0]!;
  const example = detail === undefined ? '' : ` (${detail})`;
  return `: ${commonest.length} of ${left.length} for "${leftOut}"${example}`;
}
