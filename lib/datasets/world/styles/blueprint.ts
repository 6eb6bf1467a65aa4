import {mix} from '../color-math.ts';
import {isLine, outlined, painted} from './paint.ts';
import {duotone} from './palettes.ts';
import type {Style} from './style.ts';

/** A technical drawing: thin light lines and a grid on blue. */
export const blueprint: Style = {
  palettes: [
    duotone('', '#1c4fa0', '#f2f7ff'),
    duotone('on dark blue', '#12305f', '#bfe0ff'),
    duotone('on teal', '#0f6a78', '#eafffb'),
  ],
  showsColor: false,
  background(shape, {palette: {paper, ink}}) {
    if (isLine(shape)) return outlined(shape, mix(paper, ink, 0.4), 1.5);
    const dashed = outlined(shape, mix(paper, ink, 0.7), 2.2, ' stroke-dasharray="12 4"');
    return painted(shape, paper) + dashed;
  },
  figure(shape, {palette: {paper, ink}}) {
    const contour = outlined(shape, ink, 3);
    return isLine(shape) ? contour : painted(shape, mix(paper, ink, 0.08)) + contour;
  },
  detail(shape, {palette}) {
    // Dark things are inked, and ink is light here: pupils shine.
    if (isLine(shape)) return painted(shape, palette.ink);
    return painted(shape, palette.tone(shape.color)) + outlined(shape, palette.ink, 1.8);
  },
  between(sheet) {
    const lines = `<path d="M0 0H32M0 0V32" stroke="${sheet.palette.ink}" stroke-width="2" opacity=".35"/>`;
    return `<path d="M0 0H256V256H0Z" fill="${sheet.pattern(32, 0, lines)}"/>`;
  },
};
