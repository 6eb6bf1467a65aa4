/**
 * Kinds of objects. Each is drawn in a box of 100 by 100 units, standing on its lower edge, in a colour of its own.
 */
import {house, lighthouse, rocket, tent} from './objects/buildings.ts';
import {cup, guitar, lamp, teapot, umbrella} from './objects/household.ts';
import {cactus, cat, duck, fish, mushroom, tree} from './objects/nature.ts';
import {balloon, bicycle, car, sailingBoat} from './objects/vehicles.ts';
import type {Shape} from './shapes.ts';

export const objectBox = 100;

const drawings = {
  balloon,
  bicycle,
  cactus,
  car,
  cat,
  cup,
  duck,
  fish,
  guitar,
  house,
  lamp,
  lighthouse,
  mushroom,
  rocket,
  sailingBoat,
  teapot,
  tent,
  tree,
  umbrella,
};

export type ObjectKind = keyof typeof drawings;
export const objectKinds = Object.keys(drawings) as ObjectKind[];

const colors = {
  red: '#d63a35',
  orange: '#ef8a2b',
  yellow: '#f2c638',
  green: '#4c9a4f',
  blue: '#3473c4',
  purple: '#7b4fa8',
  pink: '#ee86ac',
};

export type ObjectColor = keyof typeof colors;
export const objectColors = Object.keys(colors) as ObjectColor[];

/** The colour that a name stands for, as `#rrggbb`. */
export function paintOf(color: ObjectColor): string {
  return colors[color];
}

export function objectShapes(kind: ObjectKind, color: ObjectColor): Shape[] {
  return drawings[kind](paintOf(color));
}
