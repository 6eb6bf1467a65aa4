import {mix} from '../color-math.ts';
import type {Shape} from '../shapes.ts';
import {isLine, outlined, painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

/** Washes that miss each other by a little, and dry darker at the edge, on white paper. */
export const watercolour: Style = {
  palettes: colorPalettes('#fdfcf8', '#555555', color => mix(color, '#ffffff', 0.12)),
  showsColor: true,
  background: (shape, sheet) => washed(shape, 0.46, sheet),
  figure: (shape, sheet) =>
    // What lies behind shows through only faintly.
    (isLine(shape) ? '' : painted(shape, sheet.palette.paper, ' opacity=".8"')) + washed(shape, 0.78, sheet),
  detail: (shape, {palette}) => painted(shape, palette.tone(shape.color), ' opacity=".9"'),
  finish: ({palette}) =>
    // The sheet stays bare around the painting, which ends in an uneven edge.
    `<path fill-rule="evenodd" fill="${palette.paper}" d="M0 0H256V256H0ZM14 18Q70 8 128 14T240 12Q250 70 244 128T246 240Q180 250 128 243T16 246Q6 190 13 128T14 18Z"/>`,
};

function washed(shape: Shape, strength: number, {palette}: Sheet): string {
  const color = palette.tone(shape.color);
  const edge = mix(color, '#20305a', 0.35);
  if (isLine(shape)) return painted(shape, edge, ' opacity=".7" stroke-linecap="round"');
  return (
    painted(shape, color, ` opacity="${strength}" transform="translate(-3 2)"`) +
    painted(shape, color, ` opacity="${strength * 0.75}" transform="translate(3 -2)"`) +
    outlined(shape, edge, 2, ' opacity=".45" transform="translate(-3 2)"')
  );
}
