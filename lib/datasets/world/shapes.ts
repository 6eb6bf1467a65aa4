/**
 * What things are made of: SVG paths in natural colours, before a style draws them. All paths are written with the
 * functions below, so that a style meets one kind of shape only.
 */

export interface Shape {
  /** SVG path data. */
  readonly d: string;
  /** `#rrggbb`. */
  readonly color: string;
  /** Width of the stroke in user units, of a shape that is a line; areas have none. */
  readonly width?: number;
  /** A small feature, such as an eye: patterns and heavy contours would bury it. */
  readonly fine?: true;
}

export function area(color: string, ...paths: readonly string[]): Shape {
  return {d: paths.join(''), color};
}

export function line(color: string, width: number, ...paths: readonly string[]): Shape {
  return {d: paths.join(''), color, width};
}

export function detail(color: string, ...paths: readonly string[]): Shape {
  return {...area(color, ...paths), fine: true};
}

export function ellipse(x: number, y: number, rx: number, ry = rx): string {
  return `M${n(x - rx)} ${n(y)}a${n(rx)} ${n(ry)} 0 1 0 ${n(2 * rx)} 0a${n(rx)} ${n(ry)} 0 1 0 ${n(-2 * rx)} 0Z`;
}

export function rect(x: number, y: number, width: number, height: number): string {
  return `M${n(x)} ${n(y)}h${n(width)}v${n(height)}h${n(-width)}Z`;
}

/** A closed polygon of x, y, x, y … */
export function polygon(...coordinates: readonly number[]): string {
  return `${polyline(...coordinates)}Z`;
}

/** An open line through x, y, x, y … */
export function polyline(...coordinates: readonly number[]): string {
  return `M${coordinates.map(n).join(' ')}`;
}

/** Two decimals are a hundredth of a unit: enough, and short. */
export function n(value: number): number {
  return Math.round(value * 100) / 100;
}
