/** Rounds to the nearest integer, halves to the even one, as NumPy's and Python's `round` do (x >= 0). */
export function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 === 1 ? rounded - 1 : rounded;
}
