import {luminance, mix, saturate} from '../color-math.ts';
import type {Shape} from '../shapes.ts';
import {isLine, outlined, painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

/** Panes of deep, lit colour between black leads. */
export const stainedGlass: Style = {
  palettes: colorPalettes('#fff4c8', '#14121a', color => {
    const deep = saturate(color, 1.7);
    return mix(deep, '#14124a', 0.16 * luminance(deep));
  }),
  showsColor: true,
  background: (shape, sheet) => pane(shape, 4.5, sheet),
  figure: (shape, sheet) => pane(shape, 6, sheet),
  detail: (shape, {palette}) => painted(shape, palette.tone(shape.color)),
  between: ({palette}) =>
    // The bars that hold a window; its figures have leads of their own.
    `<path d="M64 0L58 256M128 0L134 256M194 0L190 256M0 62L256 68M0 128L256 124M0 192L256 198" stroke="${palette.ink}" stroke-width="3.5"/>`,
  finish: ({palette}) =>
    // Light that falls through the window, and its frame.
    '<path d="M128 0L60 256H148L196 0Z" fill="#ffffff" opacity=".16"/>' +
    `<path d="M5 5H251V251H5Z" fill="none" stroke="${palette.ink}" stroke-width="10"/>`,
};

function pane(shape: Shape, lead: number, {palette}: Sheet): string {
  if (isLine(shape)) return outlined(shape, palette.ink, Math.max(shape.width!, 5));
  return (
    painted(shape, palette.tone(shape.color)) + outlined(shape, palette.ink, lead, ' stroke-linejoin="round"')
  );
}
