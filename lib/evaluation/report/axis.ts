/**
 * Axes of plots.
 */

/** Round numbers, about five, that a range lies between. */
export function niceTicks(low: number, high: number): number[] {
  const range = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(range / 4));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => range / size <= 5)!;
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const count = Math.max(last - first, 1) + 1;
  // Less the error of the product: 0.3 and not 0.30000000000000004.
  return Array.from({length: count}, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** From the range of the ticks to that of pixels. */
export function scaleOf(
  ticks: readonly number[],
  [begin, end]: readonly [number, number],
): (value: number) => number {
  const [low, high] = [ticks[0]!, ticks.at(-1)!];
  return value => Math.round((begin + ((value - low) / (high - low)) * (end - begin)) * 10) / 10;
}
