import {invalidArgument} from '../errors.ts';

/** Red, green and blue, each an integer from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** A colour as callers give it: `#rgb`, `#rrggbb`, `black`, `white`, or three numbers from 0 to 255. */
export type Color = string | Rgb;

const namedColors: Readonly<Record<string, Rgb>> = {black: [0, 0, 0], white: [255, 255, 255]};

/** Brings a colour to three numbers; an ArgumentError that names `name` if it is none. */
export function toRgb(name: string, color: Color): Rgb {
  const rgb = typeof color === 'string' ? parseColor(color) : color;
  const isChannel = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;
  if (!Array.isArray(rgb) || rgb.length !== 3 || !rgb.every(isChannel)) {
    throw invalidArgument(name, "'#rgb', '#rrggbb', 'black', 'white' or three integers from 0 to 255", color);
  }
  return rgb as unknown as Rgb;
}

function parseColor(text: string): Rgb | undefined {
  const digits = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(text)?.[1];
  if (digits === undefined) return namedColors[text.toLowerCase()];
  const perChannel = digits.length / 3;
  const channel = (index: number) => {
    const hex = digits.slice(index * perChannel, (index + 1) * perChannel);
    return Number.parseInt(hex.padStart(2, hex), 16);
  };
  return [channel(0), channel(1), channel(2)];
}
