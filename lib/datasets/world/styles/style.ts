/**
 * What a style is: it turns shapes into SVG.
 */
import type {Shape} from '../shapes.ts';
import type {Palette} from './palettes.ts';
import type {Sheet} from './sheet.ts';

/** Draws one shape. */
export type Draw = (shape: Shape, sheet: Sheet) => string;

export interface Style {
  readonly palettes: readonly Palette[];
  /** Whether pictures tell the colour of a thing. */
  readonly showsColor: boolean;
  /** A picture's side in cells, where it is made of cells. */
  readonly cells?: number;
  readonly background: Draw;
  /** Objects and persons. */
  readonly figure: Draw;
  /** Their small features (`Shape.fine`). */
  readonly detail: Draw;
  /** SVG over the background, under the figure. */
  between?(sheet: Sheet): string;
  /** SVG over everything. */
  finish?(sheet: Sheet): string;
}
