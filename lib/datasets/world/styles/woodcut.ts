import {luminance} from '../color-math.ts';
import {isLine, outlined, painted} from './paint.ts';
import {duotone} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

/** A block print: heavy black figures with gouges cut into them, before a ground of wavering lines. */
export const woodcut: Style = {
  palettes: [
    duotone('in black on cream', '#f3e8cf', '#17120f'),
    duotone('in black on red', '#e0674a', '#1a0f0d'),
    duotone('in dark green on cream', '#efe9cc', '#12352a'),
  ],
  showsColor: false,
  background(shape, sheet) {
    const {paper, ink} = sheet.palette;
    const light = luminance(shape.color);
    if (isLine(shape)) return painted(shape, light > 0.5 ? paper : ink);
    return outlined(shape, ink, 3) + painted(shape, paper) + painted(shape, groundTone(light, sheet));
  },
  figure(shape, sheet) {
    const {paper, ink} = sheet.palette;
    if (isLine(shape)) return outlined(shape, paper, shape.width! + 5) + painted(shape, ink);
    const rim = outlined(shape, paper, 12) + outlined(shape, ink, 5);
    return rim + painted(shape, paper) + painted(shape, figureTone(luminance(shape.color), sheet));
  },
  detail(shape, {palette: {paper, ink}}) {
    // A rim of paper, or it would drown in dark skin.
    const rim = outlined(shape, paper, (shape.width ?? 0) + 4);
    if (isLine(shape)) return rim + painted(shape, ink);
    return rim + painted(shape, luminance(shape.color) > 0.45 ? paper : ink) + outlined(shape, ink, 1.6);
  },
};

function figureTone(light: number, sheet: Sheet): string {
  if (light > 0.68) return sheet.palette.paper;
  if (light > 0.45) return ridges(12, 6.5, -62, sheet);
  if (light > 0.2) return ridges(14, 9.5, -62, sheet);
  return sheet.palette.ink;
}

function groundTone(light: number, sheet: Sheet): string {
  if (light > 0.92) return sheet.palette.paper;
  if (light > 0.72) return ridges(24, 2.2, 3, sheet);
  if (light > 0.5) return ridges(16, 4, 3, sheet);
  if (light > 0.2) return ridges(14, 7, 3, sheet);
  return sheet.palette.ink;
}

/** Lines of ink that the gouge left standing. */
function ridges(distance: number, width: number, angle: number, sheet: Sheet): string {
  const [half, quarter] = [distance / 2, distance / 4];
  const wave = `M0 ${half}Q${quarter} ${half - 1.5} ${half} ${half}T${distance} ${half}`;
  const ridge = `<path d="${wave}" fill="none" stroke="${sheet.palette.ink}" stroke-width="${width}"/>`;
  return sheet.pattern(distance, angle, ridge);
}
