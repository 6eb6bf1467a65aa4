/**
 * Gradients as a transform of traced values: reverse accumulation (Griewank & Walther 2008, Evaluating Derivatives,
 * section 3.2). To be called while tracing, on values that no pass has fused yet.
 */
import {ShapeError} from '../errors.ts';
import {binary, fill} from './ops/index.ts';
import {weightsAlone} from './passes/prepare-weights.ts';
import {opNode, recordAgain} from './passes/rewrite.ts';
import {formatType, type Tensor} from './tensor.ts';
import {recorded, scoped} from './trace.ts';

export interface GradientsOptions {
  /** Whether what a `checkpoint` recorded is computed again on the way back, instead of kept until then. Default true. */
  readonly recompute?: boolean;
}

/**
 * The gradient of a loss with respect to each of some tensors, of their shapes and dtypes. Work is recorded only for what
 * lies between them and the loss: frozen weights cost nothing. Recomputation changes memory and time, and no bit of the
 * result.
 *
 * @param loss float32 with one element
 * @throws ShapeError for another loss
 */
export function gradients(
  loss: Tensor,
  of: readonly Tensor[],
  {recompute = true}: GradientsOptions = {},
): Tensor[] {
  if (loss.size !== 1 || loss.dtype !== 'float32') {
    throw new ShapeError(
      `gradients: expected a loss of one float32 element, got ${formatType(loss)}. Sum or average it first.`,
    );
  }
  const {nodes, checkpoints} = recorded();
  const dependent = dependentOn(of, nodes);
  const isConstant = weightsAlone(nodes);
  const known = new Map([[loss, fill({}, {shape: loss.shape, value: 1, dtype: 'float32'})]]);
  const copies = new Map<Tensor, Tensor>();
  // In the order of recording, reversed: a region's copies come when all that was recorded after it is done.
  for (const tensor of nodes.toReversed()) {
    const gradient = known.get(tensor);
    const {op, inputs, scope} = opNode(tensor);
    const wanted = inputs.map(input => input !== undefined && dependent.has(input));
    if (gradient === undefined || !wanted.includes(true)) continue;
    if (recompute && !copies.has(tensor)) {
      // What is made of weights alone is prepared and stays; both ways read the same.
      const region = (checkpoints.get(tensor) ?? []).filter(node => !isConstant(node));
      for (const [original, copy] of recordAgain(region)) copies.set(original, copy);
    }
    const parts = scoped(scope, () => op.gradientsOf(copies.get(tensor) ?? tensor, gradient, wanted));
    for (const [index, part] of parts.entries()) {
      if (part === undefined || !wanted[index]) continue;
      const input = inputs[index]!;
      const before = known.get(input);
      known.set(input, before === undefined ? part : binary({a: before, b: part}, {kind: 'add'}));
    }
  }
  return of.map(({shape, dtype}, index) => known.get(of[index]!) ?? fill({}, {shape, value: 0, dtype}));
}

/** The targets and all of `nodes`, in the order of recording, that are computed from one. */
function dependentOn(targets: readonly Tensor[], nodes: readonly Tensor[]): Set<Tensor> {
  const dependent = new Set(targets);
  for (const tensor of nodes) {
    if (opNode(tensor).inputs.some(input => input !== undefined && dependent.has(input)))
      dependent.add(tensor);
  }
  return dependent;
}
