/**
 * A held-out set by its tasks.
 */
import type {Dataset} from '../datasets/dataset.ts';
import type {DatasetSample} from '../datasets/dataset-sample.ts';
import {ArgumentError} from '../errors.ts';

/** Tasks by name, and the samples of each in the set's order. */
export function samplesByTask({samples}: Dataset): Map<string, DatasetSample[]> {
  const tasks = [...new Set(samples.map(sample => sample.task))].sort();
  return new Map(tasks.map(task => [task, samples.filter(sample => sample.task === task)]));
}

/** @throws ArgumentError where there is none */
export function instructionsOf({folder, instructions}: Dataset, task: string): readonly string[] {
  const pool = instructions.get(task) ?? [];
  if (pool.length > 0) return pool;
  throw new ArgumentError(
    `${folder}: expected instructions for the task '${task}', got none. Add instructions/${task}.txt with one a line.`,
  );
}
