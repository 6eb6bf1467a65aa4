/**
 * Scores against training steps (Rowles et al. 2024, fig. 7).
 */
import type {MetricName} from '../picture-record.ts';
import type {TaskScores} from '../summarize.ts';
import type {Html} from './html.ts';
import {lineChart, type Series} from './line-chart.ts';
import {metricTitles, tableMetrics, tasksInOrder} from './names.ts';

/** Adapters of which scores at two steps at least are known; a later entry for a step replaces an earlier one. */
export function scoreCurves(scores: readonly TaskScores[]): Html[] {
  return tasksInOrder(scores.map(({task}) => task)).flatMap(task =>
    tableMetrics(task).flatMap(name => {
      const series = seriesOf(scores, task, name);
      if (series.every(({points}) => points.length < 2)) return [];
      return [lineChart(`${task}, ${metricTitles[name]}`, 'step', series)];
    }),
  );
}

function seriesOf(scores: readonly TaskScores[], task: string, name: MetricName): Series[] {
  const own = scores.filter(score => score.task === task);
  return [...new Set(own.map(({adapter}) => adapter))].flatMap(adapter => {
    const points = new Map<number, Series['points'][number]>();
    for (const {step, metrics} of own.filter(score => score.adapter === adapter)) {
      const y = metrics[name];
      if (step !== undefined && y !== undefined) points.set(step, {x: step, y});
    }
    const sorted = [...points.values()].sort((a, b) => a.x - b.x);
    return sorted.length === 0 ? [] : [{name: adapter, points: sorted}];
  });
}
