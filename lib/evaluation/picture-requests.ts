/**
 * Which pictures an evaluation needs: the same samples, instructions and noise for every adapter.
 */
import type {Dataset} from '../datasets/dataset.ts';
import type {DatasetSample} from '../datasets/dataset-sample.ts';
import {ArgumentError} from '../errors.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';
import {nameObject} from '../training/batches/sample-choices.ts';
import {samplesByTask} from '../training/watch/validation-set.ts';
import {adapterId, type EvaluatedAdapter, lastSteps} from './evaluated-adapters.ts';

export interface PictureRequest {
  /** Names the picture's file too. */
  readonly id: string;
  readonly adapter: EvaluatedAdapter;
  readonly sample: DatasetSample;
  /** Its place in the set. */
  readonly sampleIndex: number;
  /** Empty for an adapter that reads none. */
  readonly instruction: string;
  /** Of the noise; and the instruction was drawn from the task's pool with it. */
  readonly seed: number;
}

export interface ScoreRequestOptions {
  readonly samplesPerTask: number;
  readonly picturesPerSample: number;
  readonly batchSize: number;
  readonly seed: number;
  /** One for each task, for adapters that are told by one. */
  readonly fixedInstructions: Readonly<Record<string, string>>;
}

export interface RewordingOptions {
  /** The first of each task. */
  readonly samplesPerTask: number;
  /** Instructions for each of them. */
  readonly wordings: number;
  /** Noises for each instruction. */
  readonly seeds: number;
}

/** The paper's ablation (§4.3) has one for each of its tasks. */
export const defaultFixedInstructions: Readonly<Record<string, string>> = {
  replication: 'use everything from the image',
  style: 'use the style',
  composition: 'use the composition',
  object: 'use the object',
  face: 'use the face',
};

/**
 * Batches of pictures to score: for the first samples of each task. A sample's seeds do not depend on how many others
 * there are, so that an evaluation with more samples has all pictures of one with fewer.
 *
 * @throws ArgumentError where a task is unknown or has no instructions, or two adapters of one label are for one task
 */
export function scoreRequests(
  dataset: Dataset,
  adapters: readonly EvaluatedAdapter[],
  {samplesPerTask, picturesPerSample, batchSize, seed, fixedInstructions}: ScoreRequestOptions,
): PictureRequest[][] {
  const byTask = samplesByTask(dataset);
  checkTasks(adapters, [...byTask.keys()]);
  const batches = [...byTask].flatMap(([task, samples]) => {
    const pictures = samples.slice(0, samplesPerTask).flatMap(sample => {
      const sampleIndex = dataset.samples.indexOf(sample);
      return Array.from({length: picturesPerSample}, (_, picture) => ({
        sample,
        sampleIndex,
        picture,
        seed: seed + sampleIndex * picturesPerSample + picture,
      }));
    });
    return chunks(pictures, batchSize).flatMap(chunk =>
      adaptersFor(adapters, task).map(adapter =>
        chunk.map(
          ({picture, ...drawn}): PictureRequest => ({
            id: `scores/${adapterId(adapter)}/${numbered(drawn.sampleIndex)}-${picture}`,
            adapter,
            ...drawn,
            instruction: instructionFor(adapter, dataset, fixedInstructions, drawn),
          }),
        ),
      ),
    );
  });
  checkDistinct(batches.flat());
  return batches;
}

/** Pictures of one condition, for the effect of rewording: by wording, then by seed. */
export type RewordingGrid = readonly (readonly PictureRequest[])[];

/** For the first samples of each task all pairs of some instructions and some seeds; none where a pool has no two. */
export function rewordingGrids(
  dataset: Dataset,
  adapters: readonly EvaluatedAdapter[],
  {samplesPerTask, wordings, seeds}: RewordingOptions,
  seed: number,
): RewordingGrid[] {
  return [...samplesByTask(dataset)].flatMap(([task, samples]) => {
    const told = adaptersFor(adapters, task).filter(({instructions}) => instructions === 'pool');
    return lastSteps(told).flatMap(adapter =>
      samples.slice(0, samplesPerTask).flatMap(sample => {
        const sampleIndex = dataset.samples.indexOf(sample);
        const drawn = drawInstructions(poolOf(dataset, task), wordings, seed + sampleIndex);
        if (drawn.length < 2) return [];
        const grid = drawn.map((instruction, wording) =>
          Array.from({length: seeds}, (_, noise) => ({
            id: `rewording/${adapterId(adapter)}/${numbered(sampleIndex)}-${wording}-${noise}`,
            adapter,
            sample,
            sampleIndex,
            instruction: nameObject(instruction, sample.objectName),
            seed: seed + noise,
          })),
        );
        return [grid];
      }),
    );
  });
}

function instructionFor(
  {instructions}: EvaluatedAdapter,
  dataset: Dataset,
  fixedInstructions: Readonly<Record<string, string>>,
  {sample: {task, objectName}, seed}: Pick<PictureRequest, 'sample' | 'seed'>,
): string {
  switch (instructions) {
    case 'none':
      return '';
    case 'fixed':
      return nameObject(fixedInstruction(task, fixedInstructions), objectName);
    case 'pool':
      return nameObject(drawInstructions(poolOf(dataset, task), 1, seed)[0]!, objectName);
  }
}

/** Those whose label has a row for the task. */
function adaptersFor(adapters: readonly EvaluatedAdapter[], task: string): EvaluatedAdapter[] {
  return adapters.filter(({tasks}) => tasks === undefined || tasks.includes(task));
}

function poolOf({folder, instructions}: Dataset, task: string): readonly string[] {
  const pool = instructions.get(task) ?? [];
  if (pool.length > 0) return pool;
  throw new ArgumentError(
    `${folder}: expected instructions for the task '${task}', got none. Write instructions/${task}.txt, one a line.`,
  );
}

function fixedInstruction(task: string, fixed: Readonly<Record<string, string>>): string {
  const instruction = fixed[task];
  if (instruction !== undefined) return instruction;
  throw new ArgumentError(
    `fixedInstructions: expected one for the task '${task}', got ${Object.keys(fixed).join(', ') || 'none'}.`,
  );
}

/** Different ones where the pool has so many. */
function drawInstructions(pool: readonly string[], count: number, seed: number): string[] {
  const order = new TorchGenerator(seed).randperm(pool.length);
  return Array.from({length: Math.min(count, pool.length)}, (_, i) => pool[order[i]!]!);
}

function numbered(index: number): string {
  return String(index).padStart(6, '0');
}

/** Of at most `size`. */
export function chunks<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({length: count}, (_, i) => items.slice(i * size, (i + 1) * size));
}

function checkTasks(adapters: readonly EvaluatedAdapter[], known: readonly string[]): void {
  const unknown = adapters.flatMap(({tasks}) => tasks ?? []).find(task => !known.includes(task));
  if (unknown === undefined) return;
  throw new ArgumentError(
    `adapters: expected tasks of the set, ${known.join(', ')}, got '${unknown}'. Is it spelt right?`,
  );
}

function checkDistinct(requests: readonly PictureRequest[]): void {
  const ids = new Set<string>();
  for (const {id, adapter, sample} of requests) {
    if (ids.has(id)) {
      throw new ArgumentError(
        `adapters: expected one adapter labelled '${adapter.label}' for the task '${sample.task}', got several. ` +
          'Give them labels or tasks of their own.',
      );
    }
    ids.add(id);
  }
}
