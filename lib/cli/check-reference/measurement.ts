import type {HostTensor} from '../../pipelines/host-tensor.ts';
import type {ReferenceTensors} from './reference-case.ts';

/** How far one output is from the reference. */
export interface Measurement {
  /** The output's name. */
  readonly output: string;
  /** Largest difference, relative to the largest magnitude of the reference; infinite where shapes differ or values
   * are not finite. */
  readonly error: number;
  readonly tolerance: number;
}

/** Modules and schedulers. */
export const moduleTolerance = 1e-4;
/** Whole pipelines: errors grow from step to step. */
export const pipelineTolerance = 1e-3;
export const noiseTolerance = 1e-6;
/** What a tolerance of float32 becomes where models compute in 16 bits. */
const coarseTolerances: ReadonlyMap<number, number> = new Map([
  [moduleTolerance, 2e-2],
  [pipelineTolerance, 2e-1],
]);

/** The same measurement, held to what 16-bit dtypes can give. */
export function coarse(measurement: Measurement): Measurement {
  const {tolerance} = measurement;
  return {...measurement, tolerance: coarseTolerances.get(tolerance) ?? tolerance};
}

export function passes({error, tolerance}: Measurement): boolean {
  return error <= tolerance;
}

/** The measurement that is nearest to failing, or fails most. */
export function worstOf(measurements: readonly Measurement[]): Measurement | undefined {
  const strain = ({error, tolerance}: Measurement) =>
    error <= tolerance ? error / (tolerance || 1) : 1 + error;
  return measurements.toSorted((a, b) => strain(b) - strain(a))[0];
}

export function measure(
  output: string,
  actual: HostTensor,
  expected: HostTensor,
  tolerance: number,
): Measurement {
  const sameShape = actual.shape.join() === expected.shape.join();
  return {output, error: sameShape ? relativeError(actual.data, expected.data) : Infinity, tolerance};
}

/** Largest difference relative to the largest magnitude of `expected`; infinite if lengths differ or a value is NaN. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let magnitude = 0;
  for (let index = 0; index < expected.length; index++) {
    const delta = Math.abs(actual[index]! - expected[index]!);
    if (Number.isNaN(delta)) return Infinity;
    difference = Math.max(difference, delta);
    magnitude = Math.max(magnitude, Math.abs(expected[index]!));
  }
  return difference === 0 ? 0 : difference / (magnitude || 1);
}

/** Measures those outputs that the case has. */
export function measureWhereGiven(
  outputs: Readonly<Record<string, HostTensor>>,
  tensors: ReferenceTensors,
  tolerance: number,
): Measurement[] {
  return Object.entries(outputs).flatMap(([name, actual]) => {
    const expected = tensors.find(name);
    return expected === undefined ? [] : [measure(name, actual, expected, tolerance)];
  });
}
