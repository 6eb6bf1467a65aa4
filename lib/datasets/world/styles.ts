/**
 * Styles by name. A style is a manner, how shapes are put to paper, and palettes to choose from.
 */
import {blueprint} from './styles/blueprint.ts';
import {chalk} from './styles/chalk.ts';
import {comic} from './styles/comic.ts';
import {flat} from './styles/flat.ts';
import {hatching} from './styles/hatching.ts';
import {neon} from './styles/neon.ts';
import {papercut} from './styles/papercut.ts';
import {pixelArt} from './styles/pixel-art.ts';
import {pointillist} from './styles/pointillist.ts';
import {stainedGlass} from './styles/stained-glass.ts';
import type {Style} from './styles/style.ts';
import {watercolour} from './styles/watercolour.ts';
import {woodcut} from './styles/woodcut.ts';

const styles = {
  blueprint,
  chalk,
  comic,
  flat,
  hatching,
  neon,
  papercut,
  pixelArt,
  pointillist,
  stainedGlass,
  watercolour,
  woodcut,
} satisfies Record<string, Style>;

export type StyleName = keyof typeof styles;
export const styleNames = Object.keys(styles) as StyleName[];

export function styleOf(name: StyleName): Style {
  return styles[name];
}
