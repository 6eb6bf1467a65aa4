/**
 * Truth outcomes of many generated pictures, by task.
 */
import type {FactorName} from '../../datasets/world/factor-groups.ts';
import {type WorldTask, worldTasks} from '../../datasets/world/tasks.ts';
import {type BootstrapOptions, bootstrapInterval, type Interval} from '../confidence.ts';
import {type Outcomes, shareOf, type Tally, tallyOutcomes} from './outcomes.ts';
import type {TruthOutcomes} from './truth-outcomes.ts';

/** Of the share of each picture's factors. */
export interface ShareSummary extends Interval {
  /** Pictures that were asked about at least one. */
  readonly count: number;
  readonly factors: Readonly<Partial<Record<FactorName, Tally>>>;
}

/** A share that no picture of the task was asked about is left out. */
export type TaskSummary = Readonly<Partial<Record<keyof TruthOutcomes, ShareSummary>>>;

export interface TaskOutcomes {
  readonly task: WorldTask;
  readonly outcomes: TruthOutcomes;
}

/** Of the tasks that occur. */
export function summarizeTruth(
  pictures: readonly TaskOutcomes[],
  options: BootstrapOptions,
): Partial<Record<WorldTask, TaskSummary>> {
  const summaries: Partial<Record<WorldTask, TaskSummary>> = {};
  for (const task of worldTasks) {
    const ofTask = pictures.filter(picture => picture.task === task).map(({outcomes}) => outcomes);
    if (ofTask.length > 0) summaries[task] = summarizeTask(ofTask, options);
  }
  return summaries;
}

function summarizeTask(pictures: readonly TruthOutcomes[], options: BootstrapOptions): TaskSummary {
  const entries = (['taken', 'leaked', 'followed'] as const).flatMap(measure => {
    const summary = summarizeShares(
      pictures.map(picture => picture[measure]),
      options,
    );
    return summary === undefined ? [] : [[measure, summary] as const];
  });
  return Object.fromEntries(entries);
}

function summarizeShares(all: readonly Outcomes[], options: BootstrapOptions): ShareSummary | undefined {
  const shares = all.map(shareOf).filter(share => share !== undefined);
  if (shares.length === 0) return undefined;
  return {...bootstrapInterval(shares, options), count: shares.length, factors: tallyOutcomes(all)};
}
