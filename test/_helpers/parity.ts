import type {ExecutionContext} from 'ava';
import type {FixtureTensor} from './read-safetensors.ts';
import {relativeError} from './relative-error.ts';

/** Compute dtypes with the largest error that each may show, relative to the result's largest magnitude. */
export const computeDTypes = [
  {dtype: 'float32', tolerance: 1e-5},
  {dtype: 'bfloat16', tolerance: 2e-2},
] as const;

export type ComputeCase = (typeof computeDTypes)[number];

/** Asserts that a model's result is the reference's, within the dtype's tolerance. */
export function assertParity(
  t: ExecutionContext,
  name: string,
  actual: Float32Array | undefined,
  expected: FixtureTensor | undefined,
  {tolerance}: ComputeCase,
): void {
  const error = relativeError(actual!, expected!.data);
  t.true(error <= tolerance, `${name}: relative error ${error}, tolerance ${tolerance}`);
}
