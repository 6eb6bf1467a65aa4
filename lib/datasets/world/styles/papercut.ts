import {mix} from '../color-math.ts';
import type {Shape} from '../shapes.ts';
import {isLine, outlined, painted} from './paint.ts';
import {colorPalettes} from './palettes.ts';
import type {Sheet} from './sheet.ts';
import type {Style} from './style.ts';

/** Layers of cut paper: each throws a shadow on the next, and shows its white edge. */
export const papercut: Style = {
  palettes: colorPalettes('#f4efe6', '#2a2430', color => mix(color, '#f4e8d8', 0.28)),
  showsColor: true,
  background: (shape, sheet) => layer(shape, {near: 4, far: 7, edge: 3}, sheet),
  figure: (shape, sheet) => layer(shape, {near: 6, far: 10, edge: 4}, sheet),
  // Eyes and glasses keep their contrast.
  detail: shape => painted(shape, shape.color),
};

interface Thickness {
  /** How far the two parts of the shadow fall. */
  readonly near: number;
  readonly far: number;
  readonly edge: number;
}

function layer(shape: Shape, {near, far, edge}: Thickness, {palette}: Sheet): string {
  const shadow = (distance: number) =>
    painted(shape, palette.ink, ` opacity=".2" transform="translate(${distance} ${distance})"`);
  const cut = isLine(shape) ? '' : outlined(shape, '#ffffff', edge, ' stroke-linejoin="round"');
  return shadow(far) + shadow(near) + cut + painted(shape, palette.tone(shape.color));
}
