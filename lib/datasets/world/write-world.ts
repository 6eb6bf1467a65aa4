/**
 * The drawn world as a training set on disk.
 */
import {createHash, type Hash} from 'node:crypto';
import {type FileHandle, mkdir, open, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {invalidArgument} from '../../errors.ts';
import {createDatasetWriter, type DatasetWriter} from '../dataset-writer.ts';
import {instructionPool} from '../instructions/instruction-pool.ts';
import {writeNewFolder} from '../write-new-folder.ts';
import {renderSample} from './render-sample.ts';
import {type Split, seedsPerSplit, splits} from './splits.ts';
import {type WorldSample, type WorldTask, worldSample, worldTasks} from './tasks.ts';

/** Which set is drawn; equal options give equal bytes. */
export interface WorldDatasetOptions {
  /** Samples of all tasks, which take turns. */
  readonly count: number;
  /** Of the pictures, in pixels. */
  readonly size: number;
  readonly seed: number;
  readonly split: Split;
  /** Samples to a tar shard; without it, pictures are files beside `manifest.jsonl`. */
  readonly shardSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each part of the set, of some samples. */
  readonly onProgress?: ((event: {readonly done: number; readonly count: number}) => void) | undefined;
}

/** What `card.json` says of the set. */
export interface WorldCard {
  readonly description: string;
  readonly split: Split;
  readonly seed: number;
  readonly count: number;
  readonly size: number;
  /** Samples of each task. */
  readonly tasks: Readonly<Record<WorldTask, number>>;
  /** SHA-256 of all samples: their factors, texts and pixels, in order. */
  readonly sha256: string;
}

/** Samples that are drawn at a time, so that libvips' threads have work. */
const batchSize = 16;

/**
 * Draws a training set: samples as `openDataset` reads them; `instructions/TASK.txt`; `factors.jsonl`, the factors that
 * each sample was drawn from, in the order of the samples; and `card.json`. The set is there whole, or not at all.
 *
 * @throws ArgumentError for options that make no sense
 * @throws FileError where the folder is not empty, or cannot be written
 */
export async function writeWorldDataset(folder: string, options: WorldDatasetOptions): Promise<WorldCard> {
  checkOptions(options);
  return writeNewFolder(
    folder,
    `${options.count} samples`,
    partial => writeAll(partial, options),
    options.signal,
  );
}

async function writeAll(folder: string, options: WorldDatasetOptions): Promise<WorldCard> {
  await writeInstructions(folder, options.split);
  const writer = await createDatasetWriter(folder, options.shardSize);
  const factors = await open(join(folder, 'factors.jsonl'), 'w');
  const hash = createHash('sha256');
  try {
    await writeSamples(options, writer, factors, hash);
  } finally {
    await factors.close();
    await writer.close();
  }
  const {split, seed, count, size} = options;
  const perTask = worldTasks.map(
    (task, i) => [task, Math.ceil(Math.max(0, count - i) / worldTasks.length)] as const,
  );
  const card: WorldCard = {
    description:
      'Pictures drawn from factors, for the five tasks of IPAdapter-Instruct; factors.jsonl has the factors.',
    split,
    seed,
    count,
    size,
    tasks: Object.fromEntries(perTask) as WorldCard['tasks'],
    sha256: hash.digest('hex'),
  };
  await writeFile(join(folder, 'card.json'), `${JSON.stringify(card, undefined, 2)}\n`);
  return card;
}

async function writeSamples(
  {count, size, seed, split, signal, onProgress}: WorldDatasetOptions,
  writer: DatasetWriter,
  factors: FileHandle,
  hash: Hash,
): Promise<void> {
  for (let begin = 0; begin < count; begin += batchSize) {
    signal?.throwIfAborted();
    const indices = Array.from({length: Math.min(batchSize, count - begin)}, (_, i) => begin + i);
    const samples = indices.map(i => worldSample(worldTasks[i % worldTasks.length]!, split, seed, i));
    const pictures = await Promise.all(samples.map(sample => renderSample(sample, size)));
    for (const [i, sample] of samples.entries()) {
      const {target, condition} = pictures[i]!;
      const key = `${begin + i}`.padStart(9, '0');
      const line = JSON.stringify({key, ...sample});
      hash.update(line).update(target.data).update(condition.data);
      await factors.write(`${line}\n`);
      await writer.write({key, fields: fieldsOf(sample), target, condition});
    }
    onProgress?.({done: begin + samples.length, count});
  }
}

function fieldsOf({prompt, task, objectName, conditionPrompt, targetPrompt}: WorldSample) {
  return {
    prompt,
    task,
    ...(objectName !== undefined && {objectName}),
    conditionPrompt,
    ...(targetPrompt !== undefined && {targetPrompt}),
  };
}

async function writeInstructions(folder: string, split: Split): Promise<void> {
  await mkdir(join(folder, 'instructions'));
  for (const task of worldTasks) {
    const lines = instructionPool(task, split).map(line => `${line}\n`);
    await writeFile(join(folder, 'instructions', `${task}.txt`), lines.join(''));
  }
}

function checkOptions({count, size, split, shardSize}: WorldDatasetOptions): void {
  const checkInteger = (name: string, value: number, low: number, high: number) => {
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw invalidArgument(name, `an integer from ${low} to ${high}`, value);
  };
  checkInteger('count', count, 1, seedsPerSplit);
  checkInteger('size', size, 16, 1024);
  if (shardSize !== undefined) checkInteger('shardSize', shardSize, 1, seedsPerSplit);
  if (!splits.includes(split)) throw invalidArgument('split', `one of ${splits.join(', ')}`, split);
}
