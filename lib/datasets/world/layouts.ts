/**
 * Layouts: where the objects of a scene stand, and how large they are.
 */
import {sheetSide} from './backgrounds.ts';

/** Where one object stands: the middle of its lower edge, and the side of its box, in units of the sheet. */
export interface Placement {
  readonly x: number;
  readonly bottom: number;
  readonly side: number;
}

/** As shares of the sheet. Objects that stand further back come first. */
type Arrangement = readonly {readonly x: number; readonly bottom: number; readonly side: number}[];

const arrangements = {
  centre: [{x: 0.5, bottom: 0.85, side: 0.56}],
  left: [{x: 0.27, bottom: 0.84, side: 0.46}],
  right: [{x: 0.73, bottom: 0.84, side: 0.46}],
  closeUp: [{x: 0.5, bottom: 0.97, side: 0.86}],
  distance: [{x: 0.56, bottom: 0.66, side: 0.27}],
  pair: [
    {x: 0.27, bottom: 0.84, side: 0.42},
    {x: 0.73, bottom: 0.84, side: 0.42},
  ],
  row: [
    {x: 0.18, bottom: 0.78, side: 0.29},
    {x: 0.5, bottom: 0.78, side: 0.29},
    {x: 0.82, bottom: 0.78, side: 0.29},
  ],
  nearAndFar: [
    {x: 0.78, bottom: 0.66, side: 0.26},
    {x: 0.34, bottom: 0.93, side: 0.56},
  ],
} satisfies Record<string, Arrangement>;

export type LayoutName = keyof typeof arrangements;
export const layoutNames = Object.keys(arrangements) as LayoutName[];

export interface Layout {
  readonly name: LayoutName;
  /** Height of the horizon as a share of the sheet, from above. */
  readonly horizon: number;
  /** Factor of all sizes. */
  readonly scale: number;
  /** Moves all objects sideways, as a share of the sheet. */
  readonly shift: number;
  /** Where sun, moon or window stand, from 0 (left) to 1 (right). */
  readonly light: number;
}

export function placements({name, scale, shift}: Layout): Placement[] {
  return arrangements[name].map(({x, bottom, side}) => ({
    x: sheetSide * (x + shift),
    bottom: sheetSide * bottom,
    side: sheetSide * side * scale,
  }));
}

export function objectCount(name: LayoutName): number {
  return arrangements[name].length;
}
