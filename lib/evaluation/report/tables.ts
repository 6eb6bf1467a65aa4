/**
 * Tables of scores.
 */
import type {Interval} from '../confidence.ts';
import {lastSteps} from '../evaluated-adapters.ts';
import type {RewordingEffect} from '../evaluation.ts';
import {factorScoreNames} from '../factor-scorer.ts';
import {type MetricName, similarityNames} from '../picture-record.ts';
import type {ScoreDifference, TaskScores} from '../summarize.ts';
import {type Html, html, nothing} from './html.ts';
import {metricTitles, tableMetrics, tasksInOrder} from './names.ts';

type Cell = Pick<TaskScores, 'adapter' | 'task' | 'metrics'>;

/**
 * The paper's table 1: a row for each adapter, and the metrics of each task; the highest of a column is bold. The targets
 * stand below.
 */
export function mainTable(scores: readonly TaskScores[], targets: readonly TaskScores[]): Html {
  return taskTable(atLastSteps(scores), tableMetrics, number, {marksBest: true, below: targets});
}

/** How much more each has than the reference; bold where the interval is on one side of 0. */
export function differenceTable(differences: readonly ScoreDifference[]): Html {
  const show = (value: Interval) => {
    const text = signed(value);
    return value.low > 0 || value.high < 0 ? html`<b>${text}</b>` : text;
  };
  return taskTable(differences, tableMetrics, show);
}

/** Shares of what was taken, leaked and followed, where the truth is known. */
export function truthTable(scores: readonly TaskScores[]): Html {
  return taskTable(atLastSteps(scores), () => factorScoreNames, percent);
}

/** Of each factor, how often it was taken, leaked or followed. */
export function factorTable(scores: readonly TaskScores[]): Html {
  const rows = atLastSteps(scores).flatMap(({adapter, task, factors}) =>
    factorScoreNames.flatMap(name =>
      Object.entries(factors?.[name] ?? {}).map(
        ([factor, {hits, count}]) => html`<tr><th scope="row">${adapter}</th><td>${task}</td><td>${name}</td>
<td>${factor}</td><td>${((100 * hits) / count).toFixed(1)} %<small>${hits} of ${count}</small></td></tr>`,
      ),
    ),
  );
  return html`<details><summary>Each factor</summary><div class="wide"><table><thead><tr><th>adapter</th><th>task</th><th></th>
<th>factor</th><th>share</th></tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

/** Every metric that was measured of every adapter, step and task. */
export function fullTable(scores: readonly TaskScores[]): Html {
  const names = [...similarityNames, 'clipTScore', 'clipPScore', 'clipSScore'] as const;
  const shown = names.filter(name => scores.some(({metrics}) => metrics[name] !== undefined));
  const rows = scores.map(
    ({adapter, step, task, samples, pictures, metrics}) => html`<tr><th scope="row">${adapter}</th>
<td>${step ?? ''}</td><td>${task}</td><td>${samples}</td><td>${pictures}</td>
${shown.map(name => html`<td>${cell(metrics[name], number)}</td>`)}</tr>`,
  );
  return html`<div class="wide"><table><thead><tr><th>adapter</th><th>step</th><th>task</th><th>samples</th>
<th>pictures</th>${shown.map(name => html`<th>${metricTitles[name]}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function rewordingTable(effects: readonly RewordingEffect[]): Html {
  const rows = effects.map(
    ({adapter, conditions, wordings, seeds, wordingDistance, noiseDistance, ratio}) => html`<tr>
<th scope="row">${adapter}</th><td>${conditions}</td><td>${wordings} × ${seeds}</td><td>${wordingDistance.toFixed(4)}</td>
<td>${noiseDistance.toFixed(4)}</td><td>${number(ratio)}</td></tr>`,
  );
  return html`<div class="wide"><table><thead><tr><th>adapter</th><th>conditions</th><th>wordings × seeds</th>
<th>distance by wording</th><th>distance by noise</th><th>ratio</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function taskTable(
  cells: readonly Cell[],
  metricsOf: (task: string) => readonly MetricName[],
  show: (value: Interval) => Html,
  {marksBest = false, below = []}: {readonly marksBest?: boolean; readonly below?: readonly Cell[]} = {},
): Html {
  const columns = tasksInOrder(cells.map(({task}) => task)).flatMap(task => {
    const own = cells.filter(other => other.task === task);
    return metricsOf(task)
      .filter(name => own.some(({metrics}) => metrics[name] !== undefined))
      .map(name => ({
        task,
        name,
        best: Math.max(...own.map(({metrics}) => metrics[name]?.mean ?? -Infinity)),
      }));
  });
  const heads = [...new Set(columns.map(({task}) => task))].map(
    task =>
      html`<th scope="colgroup" colspan="${columns.filter(column => column.task === task).length}">${task}</th>`,
  );
  const all = [...cells, ...below];
  const rows = [...new Set(all.map(({adapter}) => adapter))].map(adapter => {
    const values = columns.map(({task, name, best}) => {
      const own = all.find(other => other.adapter === adapter && other.task === task)?.metrics[name];
      const text = cell(own, show);
      return marksBest && own?.mean === best ? html`<td><b>${text}</b></td>` : html`<td>${text}</td>`;
    });
    return html`<tr><th scope="row">${adapter}</th>${values}</tr>`;
  });
  return html`<div class="wide"><table><thead><tr><td></td>${heads}</tr>
<tr><td></td>${columns.map(({name}) => html`<th scope="col">${metricTitles[name]}</th>`)}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** Of each adapter and task. */
function atLastSteps(scores: readonly TaskScores[]): TaskScores[] {
  return tasksInOrder(scores.map(({task}) => task)).flatMap(task =>
    lastSteps(
      scores
        .filter(score => score.task === task)
        .map(score => ({...score, label: score.adapter, step: score.step})),
    ),
  );
}

function cell(value: Interval | undefined, show: (value: Interval) => Html): Html {
  return value === undefined ? nothing : show(value);
}

function number({mean, low, high}: Interval): Html {
  return html`${mean.toFixed(4)}<small>${low.toFixed(3)} – ${high.toFixed(3)}</small>`;
}

function signed({mean, low, high}: Interval): Html {
  const text = (value: number, digits: number) =>
    `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
  return html`${text(mean, 4)}<small>${text(low, 3)} – ${text(high, 3)}</small>`;
}

function percent({mean, low, high}: Interval): Html {
  const text = (value: number) => (100 * value).toFixed(1);
  return html`${text(mean)} %<small>${text(low)} – ${text(high)}</small>`;
}
