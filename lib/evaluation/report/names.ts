/**
 * What tables and plots call tasks and metrics.
 */
import type {MetricName} from '../picture-record.ts';

export const metricTitles: Readonly<Record<MetricName, string>> = {
  clipI: 'CLIP-I',
  clipITarget: 'CLIP-I of target',
  clipT: 'CLIP-T, cosine',
  clipP: 'CLIP-P, cosine',
  clipS: 'CLIP-S, cosine',
  clipTScore: 'CLIP-T',
  clipPScore: 'CLIP-P',
  clipSScore: 'CLIP-S',
  identity: 'identity',
  taken: 'taken',
  leaked: 'leaked',
  followed: 'followed',
};

/** In the order of the paper's table 1, each with the two metrics that it has there; faces with one that is ours. */
const paperTasks: Readonly<Record<string, readonly MetricName[]>> = {
  replication: ['clipI', 'clipTScore'],
  style: ['clipSScore', 'clipPScore'],
  object: ['clipI', 'clipPScore'],
  composition: ['clipI', 'clipPScore'],
  face: ['clipI', 'clipPScore', 'identity'],
};

export function tableMetrics(task: string): readonly MetricName[] {
  return paperTasks[task] ?? ['clipI', 'clipPScore'];
}

/** Distinct tasks: the paper's first, others by name. */
export function tasksInOrder(tasks: Iterable<string>): string[] {
  const distinct = new Set(tasks);
  const known = Object.keys(paperTasks);
  const others = [...distinct].filter(task => !known.includes(task)).sort();
  return [...known.filter(task => distinct.has(task)), ...others];
}

/** Of 8 series; more begin again. Told apart by colour-blind people too (Okabe & Ito 2008, with a lighter blue), on light and dark. */
const colors = ['#1f83c9', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6bb1', '#7f7f7f'];

export function seriesColor(index: number): string {
  return colors[index % colors.length]!;
}
