/** Shapes as SVG elements. */
import type {Shape} from '../shapes.ts';

/** The shape filled, or stroked where it is a line. `attributes` are more of SVG's, with a blank before each. */
export function painted(shape: Shape, paint: string, attributes = ''): string {
  if (shape.width !== undefined) return outlined(shape, paint, shape.width, attributes);
  return `<path d="${shape.d}" fill="${paint}"${attributes}/>`;
}

/** A stroke along the shape's contour, or along the line that it is. */
export function outlined({d}: Shape, paint: string, width: number, attributes = ''): string {
  return `<path d="${d}" fill="none" stroke="${paint}" stroke-width="${width}"${attributes}/>`;
}

export function isLine({width}: Shape): boolean {
  return width !== undefined;
}
