import {painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Draw, Style} from './style.ts';

const plain: Draw = (shape, {palette}) => painted(shape, palette.tone(shape.color));

/** Plain areas of colour, as on a poster. */
export const flat: Style = {
  palettes: colorPalettes('#ffffff', '#000000'),
  showsColor: true,
  background: plain,
  figure: plain,
  detail: plain,
};
