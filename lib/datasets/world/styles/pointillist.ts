import {mix, saturate} from '../color-math.ts';
import {ellipse, type Shape} from '../shapes.ts';
import {painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

/** Side of the tile of dots. */
const side = 32;

/** x and y of the dots, whose hues take turns. */
const spots = [
  [4, 5],
  [13, 3],
  [22, 6],
  [29, 12],
  [8, 13],
  [17, 14],
  [25, 20],
  [3, 22],
  [12, 23],
  [19, 28],
  [28, 29],
  [7, 30],
] as const;

/** Dots of neighbouring hues over a ground of a darker one (Seurat). */
export const pointillist: Style = {
  palettes: colorPalettes('#f6efdc', '#333333', color => saturate(color, 1.25)),
  showsColor: true,
  background: (shape, sheet) => dotted(shape, '#5a5a8a', sheet),
  figure: (shape, sheet) => dotted(shape, '#3a2a5a', sheet),
  detail: (shape, {palette}) => painted(shape, palette.tone(shape.color)),
};

function dotted(shape: Shape, shadow: string, sheet: Sheet): string {
  const color = sheet.palette.tone(shape.color);
  const hues = [color, mix(color, '#ffffff', 0.4), mix(color, '#ffd23a', 0.28), mix(color, '#4a8af0', 0.28)];
  const dots = spots.map(([x, y], i) => `<path d="${ellipse(x, y, 3.7)}" fill="${hues[i % hues.length]}"/>`);
  return painted(shape, mix(color, shadow, 0.3)) + painted(shape, sheet.pattern(side, 0, dots.join('')));
}
