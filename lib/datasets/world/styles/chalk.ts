import {luminance, mix} from '../color-math.ts';
import {ellipse} from '../shapes.ts';
import {isLine, outlined, painted} from './paint.ts';
import type {Palette} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

function board(words: string, paper: string): Palette {
  // Chalk is light: the darker a thing, the more its colour is lifted.
  const tone = (color: string) => mix(color, '#ffffff', 0.42 + 0.3 * Math.max(0, 0.5 - luminance(color)));
  return {words, paper, ink: '#f4f2ea', tone};
}

const broken = ' stroke-linecap="round" stroke-dasharray="17 3 9 2"';

/** Broken strokes of coloured chalk on a blackboard. */
export const chalk: Style = {
  palettes: [
    board('on a black board', '#2b2d2f'),
    board('on a green board', '#1f4a3c'),
    board('on a brown board', '#4a3426'),
  ],
  showsColor: true,
  background(shape, {palette}) {
    const color = palette.tone(shape.color);
    const faint = ` opacity=".6"${broken}`;
    if (isLine(shape)) return painted(shape, color, faint);
    const wiped = painted(shape, palette.paper) + painted(shape, color, ' opacity=".14"');
    return wiped + outlined(shape, color, 2.5, faint);
  },
  figure(shape, sheet) {
    const color = sheet.palette.tone(shape.color);
    if (isLine(shape)) return painted(shape, color, broken);
    const filled = painted(shape, sheet.palette.paper) + painted(shape, crumbs(color, sheet));
    return filled + outlined(shape, color, 4, broken);
  },
  detail(shape, {palette}) {
    // What is black is left bare: a pupil, or glasses before the strokes of a face.
    return painted(shape, luminance(shape.color) < 0.15 ? palette.paper : palette.tone(shape.color));
  },
};

/** Slanted strokes with gaps where the chalk skipped. */
function crumbs(color: string, sheet: Sheet): string {
  const gap = `<path d="${ellipse(3, 3, 1.7, 1.2)}${ellipse(11, 9, 1.7, 1.2)}${ellipse(6, 14, 1.7, 1.2)}" fill="${sheet.palette.paper}"/>`;
  const strokes = `<path d="M-1 4H17M-1 12H17" stroke="${color}" stroke-width="6.6"/>`;
  return sheet.pattern(16, -35, strokes + gap);
}
