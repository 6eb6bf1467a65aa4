/**
 * Which instructions the samples of a task are given.
 */
import type {Dataset} from '../../datasets/dataset.ts';
import {ArgumentError} from '../../errors.ts';

export interface InstructionPoolOptions {
  /** In place of the training set's, by task. One for each task is the paper's ablation (§4.3). */
  readonly instructions?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Tasks of weight 0 need none. */
  readonly taskWeights?: Readonly<Record<string, number>> | undefined;
  /** Whether the adapter attends to an instruction at all. */
  readonly readsInstruction: boolean;
}

/**
 * The training set with the pools of a run.
 *
 * @throws ArgumentError where a task has none, or one is for a task that is not there
 */
export function withInstructionPools(
  dataset: Dataset,
  {instructions = {}, taskWeights, readsInstruction}: InstructionPoolOptions,
): Dataset {
  const tasks = [...new Set(dataset.samples.map(({task}) => task))].sort();
  if (!readsInstruction) return {...dataset, instructions: new Map(tasks.map(task => [task, ['']]))};
  const unknown = Object.keys(instructions).filter(task => !tasks.includes(task));
  if (unknown.length > 0) {
    throw new ArgumentError(
      `instructions: expected tasks of ${dataset.folder}, ${tasks.join(', ')}; got ${unknown.join(', ')}.`,
    );
  }
  const pools = new Map([...dataset.instructions, ...Object.entries(instructions)]);
  const isTrained = (task: string) => taskWeights === undefined || (taskWeights[task] ?? 0) > 0;
  const without = tasks.filter(task => isTrained(task) && (pools.get(task) ?? []).length === 0);
  if (without.length > 0) {
    throw new ArgumentError(
      `${dataset.folder}: expected instructions for each task, got none for ${without.join(', ')}. ` +
        `Write instructions/${without[0]}.txt, one a line.`,
    );
  }
  return {...dataset, instructions: pools};
}
