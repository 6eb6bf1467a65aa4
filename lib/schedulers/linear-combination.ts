/** A sample and what it is multiplied by. */
export type Term = readonly [coefficient: number, sample: Float32Array];

/** The sum of all `coefficient * sample`, elementwise, summed in float64 and rounded once. */
export function linearCombination(first: Term, ...others: readonly Term[]): Float32Array {
  const [firstCoefficient, firstSample] = first;
  const sum = Float64Array.from(firstSample, value => firstCoefficient * value);
  for (const [coefficient, sample] of others) {
    for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + coefficient * sample[i]!;
  }
  return Float32Array.from(sum);
}
