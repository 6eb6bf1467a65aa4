/** A sample and what it is multiplied by. */
export type Term = readonly [coefficient: number, sample: Float32Array];

/** The sum of all `coefficient * sample`, elementwise, summed in float64 and rounded once. */
export function linearCombination(...terms: readonly [Term, ...Term[]]): Float32Array {
  const sum = new Float64Array(terms[0][1].length);
  // Loops over indices: each step of a GPU waits for this, and callbacks of `from` take ten times as long.
  for (const [coefficient, sample] of terms) {
    for (let i = 0; i < sum.length; i++) sum[i]! += coefficient * sample[i]!;
  }
  return new Float32Array(sum);
}
