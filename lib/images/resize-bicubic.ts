export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Keys' cubic convolution kernel (1981) with the parameter that PyTorch has. */
const sharpness = -0.75;

/**
 * A plane of numbers in another size: `torch.nn.functional.interpolate(mode='bicubic')` without antialiasing. Beside steep
 * edges results overshoot.
 *
 * @param plane height · width numbers in rows
 */
export function resizeBicubic(plane: Float32Array, from: Size, to: Size): Float32Array {
  const columns = taps(from.width, to.width);
  const rows = taps(from.height, to.height);
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

/** Of each place of the result: the four places around its centre, of which those outside are the nearest inside. */
function taps(from: number, to: number): Tap[][] {
  return Array.from({length: to}, (_, place) => {
    const center = ((place + 0.5) * from) / to - 0.5;
    const first = Math.floor(center) - 1;
    return [0, 1, 2, 3].map(offset => ({
      index: Math.min(Math.max(first + offset, 0), from - 1),
      weight: kernel(Math.abs(center - first - offset)),
    }));
  });
}

function kernel(distance: number): number {
  const a = sharpness;
  if (distance <= 1) return ((a + 2) * distance - (a + 3)) * distance ** 2 + 1;
  return distance < 2 ? ((distance - 5) * distance + 8) * distance * a - 4 * a : 0;
}
