/**
 * Points in the plane by group, as SVG.
 */
import type {MappedInstruction} from '../instruction-map.ts';
import {type Html, html} from './html.ts';
import {legend} from './line-chart.ts';
import {seriesColor, tasksInOrder} from './names.ts';

const side = 560;
const margin = 16;

/** Instructions in the colours of their tasks; fixed ones as crosses. Each tells its words where one points at it. */
export function scatterPlot(title: string, instructions: readonly MappedInstruction[]): Html {
  const tasks = tasksInOrder(instructions.map(({task}) => task));
  const [placeX, placeY] = [0, 1].map(axis => placer(instructions.map(({point}) => point[axis]!)));
  const marks = instructions.map(({task, instruction, isFixed, point}) => {
    const [x, y] = [placeX!(point[0]), placeY!(point[1])];
    const color = seriesColor(tasks.indexOf(task));
    const label = html`<title>${task}: ${instruction}</title>`;
    return isFixed
      ? html`<path d="M${x - 7} ${y - 7}l14 14m0-14l-14 14" stroke="${color}" stroke-width="4">${label}</path>`
      : html`<circle cx="${x}" cy="${y}" r="3.5" fill="${color}" fill-opacity="0.7">${label}</circle>`;
  });
  return html`<figure><svg viewBox="0 0 ${side} ${side}" width="${side}" role="img" aria-label="${title}">
<rect class="grid" x="0.5" y="0.5" width="${side - 1}" height="${side - 1}"/>${marks}</svg>
<figcaption>${title} ${legend(tasks)}</figcaption></figure>`;
}

/** From coordinates, of which these are all, to pixels. */
function placer(values: readonly number[]): (value: number) => number {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = (side - 2 * margin) / (high - low || 1);
  return value => Math.round((margin + (value - low) * scale) * 10) / 10;
}
