/**
 * Lines with their intervals, as SVG.
 */
import type {Interval} from '../confidence.ts';
import {niceTicks, scaleOf} from './axis.ts';
import {type Html, html} from './html.ts';
import {seriesColor} from './names.ts';

export interface Series {
  readonly name: string;
  /** By x, ascending. */
  readonly points: readonly {readonly x: number; readonly y: Interval}[];
}

const size = {width: 420, height: 260};
const plot = {left: 56, right: 404, top: 12, bottom: 220};

/** @param series with one point at least */
export function lineChart(title: string, xTitle: string, series: readonly Series[]): Html {
  const points = series.flatMap(one => one.points);
  const range = (values: readonly number[]) => niceTicks(Math.min(...values), Math.max(...values));
  const xTicks = range(points.map(({x}) => x));
  const yTicks = range(points.flatMap(({y}) => [y.low, y.high]));
  const toX = scaleOf(xTicks, [plot.left, plot.right]);
  const toY = scaleOf(yTicks, [plot.bottom, plot.top]);
  const grid = yTicks.map(
    tick => html`<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${toY(tick)}" y2="${toY(tick)}"/>
<text x="${plot.left - 6}" y="${toY(tick) + 4}" text-anchor="end">${tick}</text>`,
  );
  const steps = xTicks.map(
    tick => html`<text x="${toX(tick)}" y="${plot.bottom + 16}" text-anchor="middle">${tick}</text>`,
  );
  const lines = series.map(({name, points: own}, i) => {
    const path = own.map(({x, y}) => `${toX(x)},${toY(y.mean)}`).join(' ');
    const marks = own.map(
      ({x, y}) => html`<line x1="${toX(x)}" x2="${toX(x)}" y1="${toY(y.low)}" y2="${toY(y.high)}"/>
<circle cx="${toX(x)}" cy="${toY(y.mean)}" r="3"><title>${name}, ${xTitle} ${x}: ${y.mean.toFixed(4)}</title></circle>`,
    );
    return html`<g stroke="${seriesColor(i)}" fill="${seriesColor(i)}">
<polyline points="${path}" fill="none" stroke-width="2"/>${marks}</g>`;
  });
  return html`<figure><svg viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" role="img" aria-label="${title}">
${grid}${steps}<text x="${(plot.left + plot.right) / 2}" y="${size.height - 6}" text-anchor="middle">${xTitle}</text>
${lines}</svg><figcaption>${title}. ${legend(series.map(({name}) => name))}</figcaption></figure>`;
}

/** Names in their series' colours. */
export function legend(names: readonly string[]): Html {
  const entries = names.map(
    (name, i) => html`<span class="key"><i style="background:${seriesColor(i)}"></i>${name}</span>`,
  );
  return html`${entries}`;
}
