import {luminance} from '../color-math.ts';
import type {Shape} from '../shapes.ts';
import {isLine, outlined, painted} from './paint.ts';
import {duotone} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

/** Pen and ink: bare paper, contours, and the darker the denser the strokes. */
export const hatching: Style = {
  palettes: [
    duotone('in black ink', '#fdfaf2', '#1a1a1e'),
    duotone('in sepia ink', '#f8ecd6', '#6a3a1a'),
    duotone('in blue ink', '#f4f7fc', '#1f3f9a'),
  ],
  showsColor: false,
  // Backgrounds are kept lighter than they are, or figures would not stand out.
  background: (shape, sheet) =>
    isLine(shape) ? painted(shape, sheet.palette.ink) : hatched(shape, 0.16, 1.6, sheet),
  figure: (shape, sheet) => (isLine(shape) ? clear(shape, sheet) : hatched(shape, 0, 3.5, sheet)),
  detail(shape, sheet) {
    const {paper, ink} = sheet.palette;
    if (isLine(shape)) return clear(shape, sheet);
    return painted(shape, luminance(shape.color) > 0.45 ? paper : ink) + outlined(shape, ink, 2);
  },
};

/** A line of ink with bare paper at its sides, to be seen before strokes. */
function clear(shape: Shape, {palette}: Sheet): string {
  return outlined(shape, palette.paper, shape.width! + 4) + painted(shape, palette.ink);
}

function hatched(shape: Shape, lighter: number, contour: number, sheet: Sheet): string {
  const {paper, ink} = sheet.palette;
  const layers = strokes(luminance(shape.color) + lighter, sheet).map(paint => painted(shape, paint));
  return painted(shape, paper) + layers.join('') + outlined(shape, ink, contour);
}

/** Layers of parallel strokes for a lightness from 0 to 1. */
function strokes(light: number, sheet: Sheet): string[] {
  const parallel = (angle: number, distance: number, width: number) =>
    sheet.pattern(
      distance,
      angle,
      `<path d="M0 ${distance / 2}H${distance}" stroke="${sheet.palette.ink}" stroke-width="${width}"/>`,
    );
  if (light > 0.78) return [];
  if (light > 0.6) return [parallel(-45, 13, 1.6)];
  if (light > 0.36) return [parallel(-45, 9, 1.9)];
  if (light > 0.2) return [parallel(-45, 8, 2.1), parallel(45, 8, 2.1)];
  return [parallel(-45, 6, 3), parallel(45, 6, 3)];
}
