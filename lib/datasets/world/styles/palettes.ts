/**
 * Palettes, and those that several styles share.
 */
import {luminance, mix, multiply} from '../color-math.ts';

export interface Palette {
  /** Words for a caption, such as "in warm colours"; none where nothing need be said. */
  readonly words: string;
  /** The bare sheet. */
  readonly paper: string;
  /** Outlines and hatching. */
  readonly ink: string;
  /** From a thing's natural colour to the palette's. */
  tone(color: string): string;
}

/** Natural, warm and cool colours on one paper. `tone` is what the style does to all colours beforehand. */
export function colorPalettes(
  paper: string,
  ink: string,
  tone: (color: string) => string = color => color,
): Palette[] {
  const filtered = (filter: string, towards: string) => (color: string) =>
    tone(mix(multiply(color, filter), towards, 0.12));
  const warm = filtered('#ffeecb', '#ff9a3a');
  const cool = filtered('#d4e9ff', '#3f7af0');
  return [
    {words: '', paper, ink, tone},
    {words: 'in warm colours', paper: multiply(paper, '#fff0d4'), ink: mix(ink, '#7a2a00', 0.25), tone: warm},
    {words: 'in cool colours', paper: multiply(paper, '#dcecff'), ink: mix(ink, '#00307a', 0.25), tone: cool},
  ];
}

/** Between two inks, by lightness alone. */
export function duotone(words: string, paper: string, ink: string): Palette {
  return {words, paper, ink, tone: color => mix(ink, paper, luminance(color))};
}
