/**
 * A linear probe: one regularized least-squares regression for each class, in closed form.
 */

export interface Labelled {
  readonly label: string;
  readonly vector: Float32Array;
}

/** Share of `held` whose largest regression, of those fitted to `known`, is that of their label. */
export function probeAccuracy(known: readonly Labelled[], held: readonly Labelled[], ridge = 1e-6): number {
  const labels = [...new Set(known.map(({label}) => label))];
  const width = known[0]!.vector.length + 1;
  const gram = Array.from({length: width}, (_, i) =>
    Float64Array.from({length: width}, (_, j) => (i === j ? ridge * known.length : 0)),
  );
  const targets = Array.from({length: width}, () => new Float64Array(labels.length));
  for (const {label, vector} of known) {
    const x = withOne(vector);
    const column = labels.indexOf(label);
    for (let i = 0; i < width; i++) {
      const [row, value] = [gram[i]!, x[i]!];
      for (let j = 0; j < width; j++) row[j]! += value * x[j]!;
      targets[i]![column]! += value;
    }
  }
  solve(gram, targets);
  const right = held.filter(({label, vector}) => {
    const x = withOne(vector);
    const scores = labels.map((_, k) => x.reduce((sum, value, i) => sum + value * targets[i]![k]!, 0));
    return labels[scores.indexOf(Math.max(...scores))] === label;
  });
  return right.length / held.length;
}

function withOne(vector: Float32Array): Float64Array {
  return Float64Array.of(...vector, 1);
}

/** Gauss-Jordan elimination of a positive definite matrix, which needs no pivots; `right` becomes the solution. */
function solve(matrix: Float64Array[], right: Float64Array[]): void {
  for (const [pivot, row] of matrix.entries()) {
    const solution = right[pivot]!;
    const value = row[pivot]!;
    for (const part of [row, solution]) for (let j = 0; j < part.length; j++) part[j]! /= value;
    for (const [other, target] of matrix.entries()) {
      if (other === pivot) continue;
      const factor = target[pivot]!;
      for (let j = 0; j < row.length; j++) target[j]! -= factor * row[j]!;
      const to = right[other]!;
      for (let k = 0; k < to.length; k++) to[k]! -= factor * solution[k]!;
    }
  }
}
