import {WeightsError} from '../errors.ts';
import {formatShape} from './stored-tensor.ts';

/**
 * Pairs the tensors that a model expects with those that were found; every difference is in the one error. A
 * 1x1 convolution `[out, in, 1, 1]` is taken where a linear layer `[out, in]` is expected, and the other way
 * round: they are the same numbers.
 * @param expected names and shapes of the model.
 * @param what names model and source in the message, such as `unet of /models/sd15`.
 * @returns the tensors in the model's order, with the expected shapes.
 * @throws WeightsError that lists all missing, superfluous and misshapen tensors.
 */
export function reconcile<T extends {readonly shape: readonly number[]}>(
  expected: ReadonlyMap<string, readonly number[]>,
  found: ReadonlyMap<string, T>,
  what: string,
): Map<string, T> {
  const matched = new Map<string, T>();
  const missing: string[] = [];
  const misshapen: string[] = [];
  for (const [name, shape] of expected) {
    const tensor = found.get(name);
    if (!tensor) missing.push(`${name} ${formatShape(shape)}`);
    else if (sameUpToPointwise(shape, tensor.shape)) matched.set(name, {...tensor, shape});
    else misshapen.push(`${name}: expected ${formatShape(shape)}, got ${formatShape(tensor.shape)}`);
  }
  const superfluous = [...found].filter(([name]) => !expected.has(name));
  const faults = [
    ...list('missing', missing),
    ...list(
      'superfluous',
      superfluous.map(([name, {shape}]) => `${name} ${formatShape(shape)}`),
    ),
    ...list('of another shape', misshapen),
  ];
  if (faults.length === 0) return matched;
  throw new WeightsError(
    `${what}: expected ${expected.size} tensors; got ${found.size}, which do not fit.\n` +
      `${faults.join('\n')}\n` +
      'The weights belong to another model or another configuration: check both.',
  );
}

function sameUpToPointwise(expected: readonly number[], found: readonly number[]): boolean {
  return formatShape(withoutPointwiseAxes(expected)) === formatShape(withoutPointwiseAxes(found));
}

function withoutPointwiseAxes(shape: readonly number[]): readonly number[] {
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${lines.length} ${title}:`, ...lines.map(line => `  ${line}`)];
}
