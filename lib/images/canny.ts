/**
 * Canny's edge detector (Canny, "A computational approach to edge detection", 1986), with OpenCV's choices: gradients
 * by Sobel's 3x3 operator without smoothing before it, directions in four sectors.
 */
import {ArgumentError, invalidArgument} from '../errors.ts';
import {checkRgbImage, type GrayImage, type RgbImage} from './image.ts';
import {inSlices} from './in-slices.ts';

/** Names and defaults of OpenCV's Canny and of its use in controlnet_aux. */
export interface CannyOptions {
  /** Gradient norms above it continue an edge. Default 100, as in controlnet_aux. */
  readonly lowThreshold?: number;
  /** Gradient norms above it begin an edge. Default 200. */
  readonly highThreshold?: number;
  /** Takes √(x² + y²) for the norm of a gradient, and not |x| + |y|. Default: false. */
  readonly l2Gradient?: boolean;
}

/**
 * Edges of a picture: 255 on edges, 0 elsewhere. Equal to OpenCV's `cv2.Canny(image, lowThreshold, highThreshold,
 * L2gradient=l2Gradient)` of the RGB picture: each pixel's gradient is that of the channel in which its norm is the
 * largest, the first of them where several are. In a grey picture all channels agree.
 *
 * @throws ArgumentError if `image` is no picture, or the thresholds are not numbers with 0 ≤ low ≤ high
 */
export async function cannyEdges(image: RgbImage, options: CannyOptions = {}): Promise<GrayImage> {
  const {lowThreshold = 100, highThreshold = 200, l2Gradient = false} = options;
  checkRgbImage('image', image);
  checkThresholds(lowThreshold, highThreshold);
  const [low, high] = l2Gradient ? [lowThreshold ** 2, highThreshold ** 2] : [lowThreshold, highThreshold];
  const marks = await markRidges(image, l2Gradient ? squaredNorm : sumNorm, low, high);
  await followEdges(marks, image.width + 2);
  return {width: image.width, height: image.height, channels: 1, data: await edgesOf(marks, image)};
}

function checkThresholds(low: number, high: number): void {
  for (const [name, value] of Object.entries({lowThreshold: low, highThreshold: high})) {
    if (!(typeof value === 'number' && value >= 0)) {
      throw invalidArgument(name, 'a number of at least 0', value);
    }
  }
  if (low > high) {
    throw new ArgumentError(`lowThreshold: expected at most highThreshold (${high}) but received ${low}.`);
  }
}

/** Norms are compared only: the squared one orders as the root does. */
type Norm = (x: number, y: number) => number;
const sumNorm: Norm = (x, y) => Math.abs(x) + Math.abs(y);
const squaredNorm: Norm = (x, y) => x * x + y * y;

/** A row of gradients, with a column more at both ends, whose norms are 0. */
interface GradientRow {
  readonly x: Int16Array;
  readonly y: Int16Array;
  readonly norm: Int32Array;
}

/** The marks of pixels on a ridge of the norm: above the low threshold, and above the high one. All others have 0. */
const ridge = 1;
const edge = 2;

/** A mark for each pixel of the picture with a border of one pixel. */
async function markRidges(image: RgbImage, norm: Norm, low: number, high: number): Promise<Uint8Array> {
  const {width, height} = image;
  const stride = width + 2;
  const marks = new Uint8Array(stride * (height + 2));
  let above = emptyRow(stride);
  let current = gradientRow(image, 0, norm);
  await inSlices(height, y => {
    const below = y + 1 < height ? gradientRow(image, y + 1, norm) : emptyRow(stride);
    for (let x = 1; x <= width; x++) {
      const value = current.norm[x]!;
      if (value > low && isMaximum(above, current, below, x)) {
        marks[(y + 1) * stride + x] = value > high ? edge : ridge;
      }
    }
    above = current;
    current = below;
  });
  return marks;
}

function emptyRow(stride: number): GradientRow {
  return {x: new Int16Array(stride), y: new Int16Array(stride), norm: new Int32Array(stride)};
}

/** Sobel's gradients of a row, the picture's border repeated outwards. */
function gradientRow({width, height, data}: RgbImage, row: number, norm: Norm): GradientRow {
  const gradients = emptyRow(width + 2);
  const above = Math.max(row - 1, 0) * width * 3;
  const current = row * width * 3;
  const below = Math.min(row + 1, height - 1) * width * 3;
  for (let column = 0; column < width; column++) {
    const left = Math.max(column - 1, 0) * 3;
    const middle = column * 3;
    const right = Math.min(column + 1, width - 1) * 3;
    let largest = -1;
    for (let channel = 0; channel < 3; channel++) {
      const [aboveLeft, aboveRight] = [data[above + left + channel]!, data[above + right + channel]!];
      const [belowLeft, belowRight] = [data[below + left + channel]!, data[below + right + channel]!];
      const alongRow = data[current + right + channel]! - data[current + left + channel]!;
      const alongColumn = data[below + middle + channel]! - data[above + middle + channel]!;
      const x = aboveRight - aboveLeft + 2 * alongRow + belowRight - belowLeft;
      const y = belowLeft - aboveLeft + 2 * alongColumn + belowRight - aboveRight;
      const size = norm(x, y);
      if (size <= largest) continue;
      largest = size;
      gradients.x[column + 1] = x;
      gradients.y[column + 1] = y;
    }
    gradients.norm[column + 1] = largest;
  }
  return gradients;
}

/** tan(22.5°) in units of 2^-15, as OpenCV rounds it; tan(67.5°) is 2 more. */
const tangent = 13573;

/**
 * Whether the norm at `x` is larger than at both neighbours along the gradient. Along rows and columns the second of
 * them may be as large, so that of a plateau of two one pixel remains.
 */
function isMaximum(above: GradientRow, current: GradientRow, below: GradientRow, x: number): boolean {
  const norm = current.norm[x]!;
  const [gradientX, gradientY] = [current.x[x]!, current.y[x]!];
  const flat = Math.abs(gradientX) * tangent;
  const steepness = Math.abs(gradientY) * 2 ** 15;
  if (steepness < flat) return norm > current.norm[x - 1]! && norm >= current.norm[x + 1]!;
  const steep = flat + Math.abs(gradientX) * 2 ** 16;
  if (steepness > steep) return norm > above.norm[x]! && norm >= below.norm[x]!;
  const side = gradientX < 0 === gradientY < 0 ? 1 : -1;
  return norm > above.norm[x - side]! && norm > below.norm[x + side]!;
}

/** Turns into edges the ridges that are connected with one, across corners too. */
async function followEdges(marks: Uint8Array, stride: number): Promise<void> {
  const neighbours = [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1];
  const open: number[] = [];
  await inSlices(marks.length / stride, row => {
    for (let pixel = row * stride; pixel < (row + 1) * stride; pixel++) {
      if (marks[pixel] === edge) open.push(pixel);
      while (open.length > 0) {
        const known = open.pop()!;
        for (const offset of neighbours) {
          if (marks[known + offset] !== ridge) continue;
          marks[known + offset] = edge;
          open.push(known + offset);
        }
      }
    }
  });
}

async function edgesOf(marks: Uint8Array, {width, height}: RgbImage): Promise<Uint8Array> {
  const data = new Uint8Array(width * height);
  await inSlices(height, y => {
    const row = (y + 1) * (width + 2) + 1;
    for (let x = 0; x < width; x++) data[y * width + x] = marks[row + x] === edge ? 255 : 0;
  });
  return data;
}
