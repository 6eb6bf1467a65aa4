/**
 * A linear probe (Alain & Bengio 2017, "Understanding intermediate layers using linear classifier probes"): what one linear
 * map can tell from features. It is fitted in closed form, by ridge regression of each class's indicator.
 */
import type {Engine} from '../../engine/engine.ts';
import {linear, packLinear} from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {download, gatherRows, type HostTensor, upload} from '../../pipelines/host-tensor.ts';

export interface ProbeResult {
  /** Share of the held-out rows whose label it tells. */
  readonly accuracy: number;
  /** Share of them that have the commonest label. */
  readonly chance: number;
  /** Held-out rows. */
  readonly count: number;
}

/** Beside products of rows with themselves, which are 1 on average. */
const ridge = 0.01;

/**
 * Features with mean 0 and variance 1 among the first rows, over the root of their number, so that rows have length 1 on
 * average. Those that do not vary are 0.
 *
 * @param features float32 [rows, ...]
 * @param known how many rows come first
 * @returns float32 [rows, features of a row]
 */
export function standardized({shape, data}: HostTensor, known: number): HostTensor {
  const rows = shape[0]!;
  const width = data.length / rows;
  const result = new Float32Array(data.length);
  for (let feature = 0; feature < width; feature++) {
    let [sum, squares] = [0, 0];
    for (let row = 0; row < known; row++) sum += data[row * width + feature]!;
    const mean = sum / known;
    for (let row = 0; row < known; row++) squares += (data[row * width + feature]! - mean) ** 2;
    const deviation = Math.sqrt(squares / known);
    if (deviation < 1e-6) continue;
    const scale = 1 / (deviation * Math.sqrt(width));
    for (let row = 0; row < rows; row++) {
      result[row * width + feature] = (data[row * width + feature]! - mean) * scale;
    }
  }
  return {shape: [rows, width], data: result};
}

/**
 * Fits to the first rows, asks about the others.
 *
 * @param features float32 [rows, features of a row], standardized
 * @param labels of the rows; rows without one do not count
 * @param known how many rows it is fitted to
 * @returns undefined where either part has no label
 */
export async function linearProbe(
  engine: Engine,
  features: HostTensor,
  labels: readonly (string | undefined)[],
  known: number,
): Promise<ProbeResult | undefined> {
  const labelled = [...labels.keys()].filter(row => labels[row] !== undefined);
  const [fitted, held] = [labelled.filter(row => row < known), labelled.filter(row => row >= known)];
  if (fitted.length === 0 || held.length === 0) return undefined;
  const rows = withConstant(gatherRows(features, fitted));
  const classes = [...new Set(fitted.map(row => labels[row]!))];
  const indicators = classes.map(label => Float64Array.from(fitted, row => Number(labels[row] === label)));
  const regressions = await ridgeRegressions(engine, rows, indicators);
  const asked = withConstant(gatherRows(features, held));
  const scores = regressions.map(weights => timesVector(asked, weights));
  const right = held.filter((row, place) => {
    const ofRow = scores.map(values => values[place]!);
    return classes[ofRow.indexOf(Math.max(...ofRow))] === labels[row];
  });
  const shares = [...new Set(held.map(row => labels[row]))].map(
    label => held.filter(row => labels[row] === label).length / held.length,
  );
  return {accuracy: right.length / held.length, chance: Math.max(...shares), count: held.length};
}

/** Weights of the features for each target, by whichever system of equations is smaller: as many as features, or as rows. */
async function ridgeRegressions(
  engine: Engine,
  rows: HostTensor,
  targets: readonly Float64Array[],
): Promise<readonly Float64Array[]> {
  const [count, width] = rows.shape as [number, number];
  if (width > count) {
    const inDual = solvePositive(await ridgeKernel(engine, rows), targets);
    return inDual.map(weights => weightedSum(rows, weights));
  }
  return solvePositive(
    await ridgeKernel(engine, transposed(rows)),
    targets.map(target => weightedSum(rows, target)),
  );
}

/** Rows of X·Xᵀ + ridge. */
async function ridgeKernel(engine: Engine, x: HostTensor): Promise<Float64Array[]> {
  const size = x.shape[0]!;
  const {data} = await rowProducts(engine, x);
  return Array.from({length: size}, (_, row) => {
    const values = Float64Array.from(data.subarray(row * size, (row + 1) * size));
    values[row]! += ridge;
    return values;
  });
}

async function rowProducts(engine: Engine, rows: HostTensor): Promise<HostTensor> {
  const products = engine.compile('row_products', ({x}: {x: Tensor}) =>
    linear(
      {x, weight: packLinear({weight: x}, {dtype: 'float32', glu: false, transposed: false})},
      {activation: 'none'},
    ),
  );
  const x = upload(engine.device, rows);
  try {
    return await download(await products.run({x}));
  } finally {
    x.dispose();
  }
}

/** Rows with a feature more that is always 1: the regression's offset. */
function withConstant({shape, data}: HostTensor): HostTensor {
  const [rows, width] = shape as [number, number];
  const result = new Float32Array(rows * (width + 1)).fill(1);
  for (let row = 0; row < rows; row++)
    result.set(data.subarray(row * width, (row + 1) * width), row * (width + 1));
  return {shape: [rows, width + 1], data: result};
}

function transposed({shape, data}: HostTensor): HostTensor {
  const [rows, width] = shape as [number, number];
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) result[column * rows + row] = data[row * width + column]!;
  }
  return {shape: [width, rows], data: result};
}

/** Inner products of the rows with a vector. */
function timesVector({shape, data}: HostTensor, vector: Float64Array): Float64Array {
  const [rows, width] = shape as [number, number];
  return Float64Array.from({length: rows}, (_, row) => {
    let sum = 0;
    for (let column = 0; column < width; column++) sum += data[row * width + column]! * vector[column]!;
    return sum;
  });
}

/** The sum of the rows, each times its weight. */
function weightedSum({shape, data}: HostTensor, weights: Float64Array): Float64Array {
  const width = shape[1]!;
  const sum = new Float64Array(width);
  for (const [row, weight] of weights.entries()) {
    for (let column = 0; column < width; column++) sum[column]! += weight * data[row * width + column]!;
  }
  return sum;
}

/**
 * Solutions of a symmetric positive definite system, by its Cholesky factor.
 *
 * @param matrix its rows; the factor takes the place of their lower halves
 * @param rights right sides, whose places the solutions take
 */
function solvePositive(
  matrix: readonly Float64Array[],
  rights: readonly Float64Array[],
): readonly Float64Array[] {
  for (const [i, row] of matrix.entries()) {
    for (let j = 0; j < i; j++) row[j] = (row[j]! - dot(row, matrix[j]!, j)) / matrix[j]![j]!;
    row[i] = Math.sqrt(row[i]! - dot(row, row, i));
  }
  for (const x of rights) {
    for (const [i, row] of matrix.entries()) x[i] = (x[i]! - dot(row, x, i)) / row[i]!;
    for (let i = x.length - 1; i >= 0; i--) {
      const row = matrix[i]!;
      const value = x[i]! / row[i]!;
      x[i] = value;
      for (let j = 0; j < i; j++) x[j]! -= row[j]! * value;
    }
  }
  return rights;
}

function dot(a: Float64Array, b: Float64Array, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[i]! * b[i]!;
  return sum;
}
