/** Colours as `#rrggbb`, between which styles mix. */
import {type Rgb, toRgb} from '../../images/color.ts';

/** `a` at 0, `b` at 1. */
export function mix(a: string, b: string, amount: number): string {
  const [from, to] = [toRgb('color', a), toRgb('color', b)];
  return toHex(from.map((value, i) => value + (to[i]! - value) * amount));
}

/** As light through coloured glass: white becomes `filter`, black stays. */
export function multiply(color: string, filter: string): string {
  const by = toRgb('color', filter);
  return toHex(toRgb('color', color).map((value, i) => (value * by[i]!) / 255));
}

/** Away from its own grey by a factor. */
export function saturate(color: string, factor: number): string {
  const rgb = toRgb('color', color);
  const grey = 255 * luminance(color);
  return toHex(rgb.map(value => grey + (value - grey) * factor));
}

/** Luma of Rec. 601, from 0 to 1. */
export function luminance(color: string): number {
  const [red, green, blue]: Rgb = toRgb('color', color);
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
}

function toHex(channels: readonly number[]): string {
  const digits = channels.map(value => {
    const byte = Math.round(Math.min(255, Math.max(0, value)));
    return byte.toString(16).padStart(2, '0');
  });
  return `#${digits.join('')}`;
}
