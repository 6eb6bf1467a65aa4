/**
 * From scores of pictures to the numbers of tables.
 */
import {type BootstrapOptions, bootstrapInterval, type Interval, mean} from './confidence.ts';
import {lastSteps} from './evaluated-adapters.ts';
import type {factorScoreNames} from './factor-scorer.ts';
import {type FactorTally, tallyOutcomes} from './outcomes.ts';
import {type MetricName, type Metrics, metricNames, metricsOf, type ScoredPicture} from './picture-record.ts';

/** Of one adapter and task. */
export interface TaskScores {
  readonly adapter: string;
  readonly step?: number | undefined;
  readonly task: string;
  readonly samples: number;
  readonly pictures: number;
  readonly metrics: Metrics<Interval>;
  /** Where the truth is known: how often each factor was taken, leaked or followed. */
  readonly factors?: FactorTallies | undefined;
}

export type FactorTallies = Readonly<
  Record<(typeof factorScoreNames)[number], Readonly<Record<string, FactorTally>>>
>;

/** How much more an adapter has than the first one, over the same samples. */
export interface ScoreDifference {
  readonly adapter: string;
  readonly reference: string;
  readonly task: string;
  readonly metrics: Metrics<Interval>;
}

/** Means of each adapter, step and task in the order in which they first come; intervals are over samples. */
export function summarizeScores(records: readonly ScoredPicture[], options: BootstrapOptions): TaskScores[] {
  return groupsOf(records).map(group => {
    const {adapter, step, task} = group[0]!;
    const samples = metricsBySample(group);
    return {
      adapter,
      ...(step !== undefined && {step}),
      task,
      samples: samples.size,
      pictures: group.length,
      metrics: forEachMetric(name => {
        const values = [...samples.values()].flatMap(metrics => metrics[name] ?? []);
        return values.length === 0 ? undefined : bootstrapInterval(values, options);
      }),
      ...tallies(group),
    };
  });
}

function tallies(records: readonly ScoredPicture[]): Pick<TaskScores, 'factors'> {
  const truths = records.flatMap(({truth}) => truth ?? []);
  if (truths.length === 0) return {};
  const tallyOf = (name: (typeof factorScoreNames)[number]) =>
    tallyOutcomes(truths.map(truth => truth[name]));
  const factors = {taken: tallyOf('taken'), leaked: tallyOf('leaked'), followed: tallyOf('followed')};
  return {factors};
}

/** Of all adapters with the reference, at their last steps, task by task. */
export function compareScores(
  records: readonly ScoredPicture[],
  reference: string,
  options: BootstrapOptions,
): ScoreDifference[] {
  const groups = groupsOf(records);
  const tasks = [...new Set(groups.map(group => group[0]!.task))];
  return tasks.flatMap(task => {
    const last = lastSteps(
      groups
        .filter(group => group[0]!.task === task)
        .map(group => ({label: group[0]!.adapter, step: group[0]!.step, samples: metricsBySample(group)})),
    );
    const base = last.find(({label}) => label === reference)?.samples;
    if (base === undefined) return [];
    return last
      .filter(({label}) => label !== reference)
      .map(({label, samples}) => ({
        adapter: label,
        reference,
        task,
        metrics: forEachMetric(name => {
          const values = [...samples].flatMap(([sample, metrics]) => {
            const [own, other] = [metrics[name], base.get(sample)?.[name]];
            return own === undefined || other === undefined ? [] : own - other;
          });
          return values.length === 0 ? undefined : bootstrapInterval(values, options);
        }),
      }));
  });
}

/** Of one adapter, step and task each. */
function groupsOf(records: readonly ScoredPicture[]): ScoredPicture[][] {
  const groups = new Map<string, ScoredPicture[]>();
  for (const record of records) {
    const key = JSON.stringify([record.adapter, record.step, record.task]);
    const group = groups.get(key) ?? [];
    group.push(record);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Means of each sample's pictures: pictures of one sample are no independent witnesses. */
function metricsBySample(records: readonly ScoredPicture[]): Map<number, Metrics<number>> {
  const samples = [...new Set(records.map(({sample}) => sample))];
  return new Map(
    samples.map(sample => {
      const own = records.filter(record => record.sample === sample).map(metricsOf);
      return [
        sample,
        forEachMetric(name => {
          const values = own.flatMap(metrics => metrics[name] ?? []);
          return values.length === 0 ? undefined : mean(values);
        }),
      ];
    }),
  );
}

function forEachMetric<T>(take: (name: MetricName) => T | undefined): Metrics<T> {
  return Object.fromEntries(
    metricNames.flatMap(name => {
      const value = take(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
