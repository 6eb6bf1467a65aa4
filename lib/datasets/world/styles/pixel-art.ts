import {saturate} from '../color-math.ts';
import {isLine, outlined, painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Draw, Style} from './style.ts';

const plain: Draw = (shape, {palette}) => painted(shape, palette.tone(shape.color));

/** As on an early game console: few, large, square pixels and dark contours. */
export const pixelArt: Style = {
  palettes: colorPalettes('#ffffff', '#1a1a2a', color => saturate(color, 1.3)),
  showsColor: true,
  cells: 32,
  background: plain,
  figure: (shape, sheet) =>
    (isLine(shape) ? '' : outlined(shape, sheet.palette.ink, 6)) + plain(shape, sheet),
  detail: plain,
};
