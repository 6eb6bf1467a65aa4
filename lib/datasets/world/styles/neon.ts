import {luminance, mix, saturate} from '../color-math.ts';
import {isLine, outlined, painted} from './paint.ts';
import type {Palette} from './palettes.ts';
import type {Style} from './style.ts';

/** Brings dark and dull colours to a light that glows. */
function glow(color: string): string {
  const vivid = saturate(color, 2.2);
  return mix(vivid, '#ffffff', Math.max(0, 0.62 - luminance(vivid)));
}

function tubes(words: string, paper: string, cast: string, amount: number): Palette {
  return {words, paper, ink: '#ffffff', tone: color => mix(glow(color), cast, amount)};
}

const round = ' stroke-linejoin="round" stroke-linecap="round"';

/** Glowing tubes along the contours, in the dark. */
export const neon: Style = {
  palettes: [
    tubes('', '#0b0a1e', '#ff3ad0', 0.1),
    tubes('in pink light', '#1a0520', '#ff3aa8', 0.6),
    tubes('in green light', '#03150f', '#3affa0', 0.6),
  ],
  showsColor: false,
  background(shape, {palette}) {
    const color = palette.tone(shape.color);
    if (isLine(shape)) return painted(shape, mix(palette.paper, color, 0.35));
    return painted(shape, mix(palette.paper, color, 0.08)) + outlined(shape, color, 2.2, ' opacity=".6"');
  },
  figure(shape, {palette}) {
    const color = palette.tone(shape.color);
    const body = isLine(shape) ? '' : painted(shape, mix(palette.paper, color, 0.12));
    const halo = outlined(shape, color, 11, ` opacity=".28"${round}`);
    const tube = outlined(shape, color, 5, round) + outlined(shape, mix(color, '#ffffff', 0.75), 1.8, round);
    return body + halo + tube;
  },
  detail(shape, {palette}) {
    const isPupil = !isLine(shape) && luminance(shape.color) < 0.2;
    return painted(shape, isPupil ? palette.paper : palette.tone(shape.color));
  },
};
