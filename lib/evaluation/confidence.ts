/**
 * How sure a mean is.
 */
import {ArgumentError, invalidArgument} from '../errors.ts';
import {TorchGenerator} from '../schedulers/torch-generator.ts';

export interface BootstrapOptions {
  /** Default 1000. */
  readonly resamples?: number;
  /** Of the resamples; equal seeds give equal intervals. Default 0. */
  readonly seed?: number;
}

/** A mean, and where it lies with a confidence of 95 %. */
export interface ConfidenceInterval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const confidence = 0.95;

/**
 * The mean of independent values with its percentile bootstrap interval (Efron and Tibshirani 1993, An Introduction to the
 * Bootstrap, §13.3).
 *
 * @throws ArgumentError without values, or for values that are not finite
 */
export function bootstrapInterval(
  values: readonly number[],
  {resamples = 1000, seed = 0}: BootstrapOptions = {},
): ConfidenceInterval {
  if (values.length === 0 || !values.every(Number.isFinite)) {
    throw new ArgumentError(
      `bootstrapInterval: expected finite numbers, at least one, got ${values.length === 0 ? 'none' : 'NaN or infinity'}. ` +
        'Leave out what was not measured.',
    );
  }
  if (!Number.isInteger(resamples) || resamples < 1) {
    throw invalidArgument('resamples', 'a positive integer', resamples);
  }
  const generator = new TorchGenerator(seed);
  const means = Float64Array.from({length: resamples}, () => {
    const drawn = generator.rand([values.length]);
    return drawn.reduce((sum, share) => sum + values[Math.floor(share * values.length)]!, 0) / values.length;
  }).sort();
  const tail = (1 - confidence) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return {mean, low: quantile(means, tail), high: quantile(means, 1 - tail)};
}

/** Of sorted values, between neighbours in proportion. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const [low, high] = [sorted[below]!, sorted[Math.ceil(position)]!];
  return low + (position - below) * (high - low);
}
