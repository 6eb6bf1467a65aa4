/**
 * Moves shapes to their place by rewriting their paths, so that a style's strokes and patterns keep their size, however
 * large the thing is.
 */
import {n, type Shape} from './shapes.ts';

/** For each command, what its numbers are: along x, along y, or neither. */
const axes: Readonly<Record<string, string>> = {
  M: 'xy',
  L: 'xy',
  H: 'x',
  V: 'y',
  Q: 'xyxy',
  T: 'xy',
  C: 'xyxyxy',
  A: 'xy---xy',
  Z: '',
};

/** The shape scaled about (0, 0), then moved by (x, y). */
export function placeShape(shape: Shape, scale: number, x: number, y: number): Shape {
  const d = shape.d.replace(/([a-zA-Z])([^a-zA-Z]*)/g, (_, command: string, text: string) => {
    const kinds = axes[command.toUpperCase()]!;
    const isRelative = command === command.toLowerCase();
    const numbers = (text.match(/-?\d*\.?\d+/g) ?? []).map(Number).map((value, i) => {
      const kind = kinds[i % kinds.length];
      if (kind === '-') return value;
      return n(value * scale + (isRelative ? 0 : kind === 'x' ? x : y));
    });
    return command + numbers.join(' ');
  });
  // A line never gets so thin that a small picture loses it.
  return {...shape, d, ...(shape.width !== undefined && {width: n(Math.max(shape.width * scale, 2))})};
}
