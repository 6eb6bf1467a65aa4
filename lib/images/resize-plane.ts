/**
 * Planes of numbers in other sizes, as `torch.nn.functional.interpolate` resizes them without antialiasing and with
 * `align_corners=False`: height · width numbers in rows.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The weight of a place by its distance from where a result is centred, in places; 0 from a distance of 2 on. */
type Kernel = (distance: number) => number;

/** `mode='bicubic'`. Beside steep edges results overshoot. */
export function resizeBicubic(plane: Float32Array, from: Size, to: Size): Float32Array {
  return resize(plane, from, to, cubicConvolution);
}

/** `mode='bilinear'`: each result is a weighted mean of the plane's numbers. */
export function resizeBilinear(plane: Float32Array, from: Size, to: Size): Float32Array {
  return resize(plane, from, to, triangle);
}

function resize(plane: Float32Array, from: Size, to: Size, kernel: Kernel): Float32Array {
  const columns = taps(from.width, to.width, kernel);
  const rows = taps(from.height, to.height, kernel);
  const result = new Float32Array(to.width * to.height);
  for (const [y, row] of rows.entries()) {
    for (const [x, column] of columns.entries()) {
      let sum = 0;
      for (const {index: top, weight: vertical} of row) {
        let line = 0;
        for (const {index: left, weight} of column) line += weight * plane[top * from.width + left]!;
        sum += vertical * line;
      }
      result[y * to.width + x] = sum;
    }
  }
  return result;
}

interface Tap {
  readonly index: number;
  readonly weight: number;
}

/**
 * Of each place of the result: those of the four places around its centre that have a weight. For those outside stand the
 * nearest inside.
 */
function taps(from: number, to: number, kernel: Kernel): Tap[][] {
  return Array.from({length: to}, (_, place) => {
    const center = ((place + 0.5) * from) / to - 0.5;
    const first = Math.floor(center) - 1;
    return [0, 1, 2, 3]
      .map(offset => ({
        index: Math.min(Math.max(first + offset, 0), from - 1),
        weight: kernel(Math.abs(center - first - offset)),
      }))
      .filter(({weight}) => weight !== 0);
  });
}

/** Keys' kernel (1981) with the parameter that PyTorch has. */
function cubicConvolution(distance: number): number {
  const a = -0.75;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1;
  return distance < 2 ? ((distance - 5) * distance + 8) * distance * a - 4 * a : 0;
}

function triangle(distance: number): number {
  return Math.max(0, 1 - distance);
}
