/**
 * How far a number may lie from what many more samples would give: percentile intervals of the bootstrap (Efron 1979).
 */
import {ArgumentError} from '../errors.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';

/** A mean, and the 95 % interval around it. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  readonly resamples: number;
  readonly seed: number;
}

const share = 0.95;

/**
 * The mean of values, and its interval. Equal values and options give equal bits.
 *
 * @throws ArgumentError where there is no value
 */
export function bootstrapInterval(values: readonly number[], options: BootstrapOptions): Interval {
  return bootstrap(values, mean, options);
}

/**
 * A statistic of items, and its interval under drawing as many items anew, with replacement.
 *
 * @throws ArgumentError where there is no item
 */
export function bootstrap<T>(
  items: readonly T[],
  statistic: (items: readonly T[]) => number,
  {resamples, seed}: BootstrapOptions,
): Interval {
  if (items.length === 0) throw new ArgumentError('bootstrap: expected at least one value, got none.');
  const generator = new TorchGenerator(seed);
  const drawn = Float64Array.from({length: resamples}, () =>
    statistic(Array.from(generator.rand([items.length]), at => items[Math.floor(at * items.length)]!)),
  ).sort();
  const quantile = (q: number) => drawn[Math.round(q * (resamples - 1))]!;
  return {mean: statistic(items), low: quantile((1 - share) / 2), high: quantile((1 + share) / 2)};
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
