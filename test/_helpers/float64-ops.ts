/**
 * The ops in plain loops over float64, for gradients by differences.
 */

export interface Array64 {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function array64(shape: readonly number[], at: (index: readonly number[]) => number): Array64 {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const data = Float64Array.from({length: size}, (_, flat) => at(indexOf(shape, flat)));
  return {shape, data};
}

function indexOf(shape: readonly number[], flat: number): number[] {
  const index: number[] = [];
  let rest = flat;
  for (const extent of shape.toReversed()) {
    index.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return index;
}

/** An element; axes of extent 1 are read as if repeated. */
export function get({shape, data}: Array64, index: readonly number[]): number {
  let flat = 0;
  for (const [axis, extent] of shape.entries()) flat = flat * extent + (extent === 1 ? 0 : index[axis]!);
  return data[flat]!;
}

export function sum(count: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += term(i);
  return total;
}

/** erfc by its continued fraction and series (Abramowitz & Stegun 1964, 7.1.5 and 7.1.14). */
function erf(x: number): number {
  if (Math.abs(x) > 3) {
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / 2 / (Math.abs(x) + fraction);
    return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (Math.abs(x) + fraction));
  }
  let term = x;
  let total = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

export const activations = {
  silu: (x: number) => x / (1 + Math.exp(-x)),
  quick_gelu: (x: number) => x / (1 + Math.exp(-1.702 * x)),
  gelu: (x: number) => (x * (1 + erf(x / Math.SQRT2))) / 2,
};

export function linear(x: Array64, weight: Array64, bias?: Array64, residual?: Array64): Array64 {
  const features = x.shape.at(-1)!;
  return array64(x.shape.with(-1, weight.shape[0]!), index => {
    const [row, n] = [index.slice(0, -1), index.at(-1)!];
    const product = sum(features, k => get(x, [...row, k]) * get(weight, [n, k]));
    return product + (bias?.data[n] ?? 0) + (residual === undefined ? 0 : get(residual, index));
  });
}

export interface Conv64 {
  readonly stride: number;
  readonly padding: readonly [number, number, number, number];
}

export function conv2d(
  x: Array64,
  weight: Array64,
  {stride, padding}: Conv64,
  {bias, sampleBias, residual}: Partial<Record<'bias' | 'sampleBias' | 'residual', Array64>>,
): Array64 {
  const [samples, height, width, channels] = x.shape as [number, number, number, number];
  const [outputs, , kernelHeight, kernelWidth] = weight.shape as [number, number, number, number];
  const [top, left, bottom, right] = padding;
  const rows = Math.floor((height + top + bottom - kernelHeight) / stride) + 1;
  const columns = Math.floor((width + left + right - kernelWidth) / stride) + 1;
  return array64([samples, rows, columns, outputs], index => {
    const [b, i, j, o] = index as [number, number, number, number];
    const window = sum(kernelHeight, ky =>
      sum(kernelWidth, kx => {
        const [y, z] = [i * stride + ky - top, j * stride + kx - left];
        if (y < 0 || y >= height || z < 0 || z >= width) return 0;
        return sum(channels, c => get(x, [b, y, z, c]) * get(weight, [o, c, ky, kx]));
      }),
    );
    const shifts = (bias?.data[o] ?? 0) + (sampleBias === undefined ? 0 : get(sampleBias, [b, o]));
    return window + shifts + (residual === undefined ? 0 : get(residual, index));
  });
}

/** Each position of `x` normalised over a set of positions, times scale and plus shift of its channel. */
function normalize(
  x: Array64,
  setOf: (index: readonly number[]) => readonly (readonly number[])[],
  epsilon: number,
  scale?: Array64,
  shift?: Array64,
): Array64 {
  return array64(x.shape, index => {
    const values = setOf(index).map(other => get(x, other));
    const mean = sum(values.length, i => values[i]!) / values.length;
    const variance = sum(values.length, i => (values[i]! - mean) ** 2) / values.length;
    const channel = index.at(-1)!;
    const normal = (get(x, index) - mean) / Math.sqrt(variance + epsilon);
    return normal * (scale?.data[channel] ?? 1) + (shift?.data[channel] ?? 0);
  });
}

export function layerNorm(x: Array64, epsilon: number, scale?: Array64, shift?: Array64): Array64 {
  const row = (index: readonly number[]) =>
    Array.from({length: x.shape.at(-1)!}, (_, c) => index.with(-1, c));
  return normalize(x, row, epsilon, scale, shift);
}

/** x [B, P, C]. */
export function groupNorm(
  x: Array64,
  groups: number,
  epsilon: number,
  scale: Array64,
  shift: Array64,
): Array64 {
  const [, positions, channels] = x.shape as [number, number, number];
  const width = channels / groups;
  const group = ([b, , c]: readonly number[]) =>
    Array.from({length: positions * width}, (_, i) => [
      b!,
      Math.floor(i / width),
      Math.floor(c! / width) * width + (i % width),
    ]);
  return normalize(x, group, epsilon, scale, shift);
}

export interface Attention64 {
  readonly heads: number;
  readonly scale: number;
  readonly causal?: boolean;
}

export function attention(
  q: Array64,
  k: Array64,
  v: Array64,
  {heads, scale, causal = false}: Attention64,
  mask?: Array64,
): Array64 {
  const [samples, queries, channels] = q.shape as [number, number, number];
  const keys = k.shape[1]!;
  const size = channels / heads;
  const weights = (b: number, i: number, head: number) => {
    const scores = Array.from({length: keys}, (_, j) => {
      if (causal && j > i) return Number.NEGATIVE_INFINITY;
      const dot = sum(size, d => get(q, [b, i, head * size + d]) * get(k, [b, j, head * size + d]));
      return scale * dot + (mask === undefined ? 0 : get(mask, [b, i, j]));
    });
    const top = Math.max(...scores);
    const powers = scores.map(score => Math.exp(score - top));
    const total = sum(keys, j => powers[j]!);
    return powers.map(power => power / total);
  };
  const table = new Map<string, number[]>();
  for (let b = 0; b < samples; b++) {
    for (let i = 0; i < queries; i++) {
      for (let head = 0; head < heads; head++) table.set(`${b}/${i}/${head}`, weights(b, i, head));
    }
  }
  return array64(q.shape, ([b, i, c]) => {
    const row = table.get(`${b}/${i}/${Math.floor(c! / size)}`)!;
    return sum(keys, j => row[j]! * get(v, [b!, j, c!]));
  });
}
