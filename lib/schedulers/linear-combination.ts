/** A sample and what it is multiplied by. */
export type Term = readonly [coefficient: number, sample: Float32Array];

/** The sum of all `coefficient * sample`, elementwise, summed in float64 and rounded once. */
export function linearCombination(...terms: readonly [Term, ...Term[]]): Float32Array {
  const coefficients = terms.map(([coefficient]) => coefficient);
  const samples = terms.map(([, sample]) => sample);
  const result = new Float32Array(samples[0]!.length);
  // Loops over indices: each step of a GPU waits for this, and callbacks of `from` take ten times as long.
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let term = 0; term < samples.length; term++) sum += coefficients[term]! * samples[term]![i]!;
    result[i] = sum;
  }
  return result;
}
