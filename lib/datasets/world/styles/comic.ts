import {luminance, mix, saturate} from '../color-math.ts';
import {ellipse} from '../shapes.ts';
import {isLine, outlined, painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Style} from './style.ts';

/** Heavy black contours, loud colours, and printed dots for tones (Lichtenstein). */
export const comic: Style = {
  palettes: colorPalettes('#ffffff', '#0c0c10', color => saturate(color, 1.7)),
  showsColor: true,
  background(shape, sheet) {
    const {ink, tone} = sheet.palette;
    if (isLine(shape)) return painted(shape, ink);
    const color = tone(shape.color);
    const radius = 2.2 + 2.4 * (1 - luminance(color));
    const dots = `<path d="${ellipse(2.75, 2.75, radius)}${ellipse(8.25, 8.25, radius)}" fill="${color}"/>`;
    const ground = painted(shape, mix(color, '#ffffff', 0.72));
    return ground + painted(shape, sheet.pattern(11, 0, dots)) + outlined(shape, ink, 2.5);
  },
  figure(shape, {palette: {ink, tone}}) {
    const body = painted(shape, tone(shape.color));
    if (isLine(shape)) return outlined(shape, ink, shape.width! + 5) + body;
    return body + outlined(shape, ink, 5, ' stroke-linejoin="round"');
  },
  detail(shape, {palette: {ink, tone}}) {
    const body = painted(shape, tone(shape.color));
    return isLine(shape) ? body : body + outlined(shape, ink, 2);
  },
};
