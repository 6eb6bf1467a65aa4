/**
 * A held-out set by its tasks.
 */
import type {Dataset} from '../../datasets/dataset.ts';
import type {DatasetSample} from '../../datasets/dataset-sample.ts';
import {ArgumentError} from '../../errors.ts';
import {type InstructionPoolOptions, withInstructionPools} from '../batches/instruction-pools.ts';

/**
 * The samples of tasks that are trained, with the pools of a run: each task has instructions.
 *
 * @throws ArgumentError where a task has none, or there is no sample
 */
export function validationSetOf(
  dataset: Dataset,
  {instructions = {}, taskWeights, readsInstruction}: InstructionPoolOptions,
): Dataset {
  const isTrained = (task: string) => taskWeights === undefined || (taskWeights[task] ?? 0) > 0;
  const samples = dataset.samples.filter(({task}) => isTrained(task));
  if (samples.length === 0) {
    throw new ArgumentError(
      `${dataset.folder}: expected samples of the tasks that are trained, got none. Give another validation set.`,
    );
  }
  const isThere = (task: string) => samples.some(sample => sample.task === task);
  const own = Object.entries(instructions).filter(([task]) => isThere(task));
  return withInstructionPools(
    {...dataset, samples},
    {instructions: Object.fromEntries(own), readsInstruction},
  );
}

/** Tasks by name, and the samples of each in the set's order. */
export function samplesByTask({samples}: Dataset): Map<string, DatasetSample[]> {
  const tasks = [...new Set(samples.map(sample => sample.task))].sort();
  return new Map(tasks.map(task => [task, samples.filter(sample => sample.task === task)]));
}
