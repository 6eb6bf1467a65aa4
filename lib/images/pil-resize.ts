import {cropImage, type Region} from './crop-image.ts';
import type {RgbImage} from './image.ts';
import {inSlices} from './in-slices.ts';

/** Resampling filters, as Pillow names them. */
export type ResampleFilter = 'bicubic' | 'lanczos';

/** Weights are integers in units of 2^-22: 32 bits, less 8 for the samples, less 2 for the overshoot of the filter. */
const precisionBits = 32 - 8 - 2;

interface Kernel {
  /** Half of the filter's width, in pixels of the coarser of both grids. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const kernels: Readonly<Record<ResampleFilter, Kernel>> = {
  // Keys, "Cubic convolution interpolation for digital image processing" (1981), with a = -0.5.
  bicubic: {
    support: 2,
    weight: signed => {
      const a = -0.5;
      const x = Math.abs(signed);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
    },
  },
  lanczos: {support: 3, weight: x => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)},
};

function sinc(x: number): number {
  if (x === 0) return 1;
  return Math.sin(x * Math.PI) / (x * Math.PI);
}

/** For each output index of one axis: the first source index, how many there are, and their integer weights. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights per output index, of which `count` are used. */
  readonly weights: Int32Array;
  readonly stride: number;
}

/**
 * Resizes exactly as Pillow's `Image.resize` does for 8-bit RGB (`Resample.c`): the filter is widened by the scale when
 * it shrinks, output x is centred at (x + 0.5) * scale in the source, weights of each output sum to one and are rounded
 * to multiples of 2^-22, rows are resampled first, and both passes round to 8 bits.
 *
 * With `region`, only that rectangle of the resized picture is computed; it equals the same crop of the whole. The work
 * is done in slices of a few milliseconds, so that timers and sockets are served meanwhile.
 *
 * @param size of the whole resized picture; may be far larger than what memory holds if `region` is small
 */
export async function resizeLikePil(
  image: RgbImage,
  size: {readonly width: number; readonly height: number},
  filter: ResampleFilter,
  region: Region = {left: 0, top: 0, width: size.width, height: size.height},
): Promise<RgbImage> {
  // Each weight is then 1 or 0.
  if (image.width === size.width && image.height === size.height) return cropImage(image, region);
  const columns = computeTaps(image.width, size.width, region.left, region.width, kernels[filter]);
  const rows = computeTaps(image.height, size.height, region.top, region.height, kernels[filter]);
  const rowsBegin = rows.first[0]!;
  const rowsEnd = rows.first[region.height - 1]! + rows.count[region.height - 1]!;

  const narrowed = new Uint8Array((rowsEnd - rowsBegin) * region.width * 3);
  await inSlices(rowsEnd - rowsBegin, row => {
    const source = (rowsBegin + row) * image.width;
    const target = row * region.width;
    for (let x = 0; x < region.width; x++) {
      weighPixel(image.data, (source + columns.first[x]!) * 3, 3, columns, x, narrowed, (target + x) * 3);
    }
  });

  const data = new Uint8Array(region.height * region.width * 3);
  await inSlices(region.height, y => {
    const source = (rows.first[y]! - rowsBegin) * region.width;
    const target = y * region.width;
    for (let x = 0; x < region.width; x++) {
      weighPixel(narrowed, (source + x) * 3, region.width * 3, rows, y, data, (target + x) * 3);
    }
  });
  return {width: region.width, height: region.height, data};
}

function computeTaps(
  sourceSize: number,
  targetSize: number,
  begin: number,
  length: number,
  kernel: Kernel,
): Taps {
  const scale = sourceSize / targetSize;
  const filterScale = Math.max(scale, 1);
  const support = kernel.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const taps: Taps = {
    first: new Int32Array(length),
    count: new Int32Array(length),
    weights: new Int32Array(length * stride),
    stride,
  };
  const exact = new Float64Array(stride);
  for (let index = 0; index < length; index++) {
    const center = (begin + index + 0.5) * scale;
    const first = Math.max(Math.trunc(center - support + 0.5), 0);
    const count = Math.min(Math.trunc(center + support + 0.5), sourceSize) - first;
    let sum = 0;
    for (let tap = 0; tap < count; tap++) {
      const weight = kernel.weight((tap + first - center + 0.5) * (1 / filterScale));
      exact[tap] = weight;
      sum += weight;
    }
    taps.first[index] = first;
    taps.count[index] = count;
    for (let tap = 0; tap < count; tap++) {
      const scaled = (exact[tap]! / sum) * 2 ** precisionBits;
      taps.weights[index * stride + tap] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }
  return taps;
}

/** One output pixel: the weighted sum of `taps.count[index]` pixels that lie `step` bytes apart, in 32-bit integers. */
function weighPixel(
  source: Uint8Array,
  sourceOffset: number,
  step: number,
  taps: Taps,
  index: number,
  target: Uint8Array,
  targetOffset: number,
): void {
  let red = 1 << (precisionBits - 1);
  let green = red;
  let blue = red;
  let position = sourceOffset;
  const weightsBegin = index * taps.stride;
  const weightsEnd = weightsBegin + taps.count[index]!;
  for (let tap = weightsBegin; tap < weightsEnd; tap++) {
    const weight = taps.weights[tap]!;
    red = (red + Math.imul(source[position]!, weight)) | 0;
    green = (green + Math.imul(source[position + 1]!, weight)) | 0;
    blue = (blue + Math.imul(source[position + 2]!, weight)) | 0;
    position += step;
  }
  target[targetOffset] = toByte(red);
  target[targetOffset + 1] = toByte(green);
  target[targetOffset + 2] = toByte(blue);
}

function toByte(sum: number): number {
  return Math.min(Math.max(sum >> precisionBits, 0), 255);
}
