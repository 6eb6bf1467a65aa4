/**
 * Gradients as a transform of traced values: reverse accumulation (Griewank & Walther 2008, Evaluating Derivatives,
 * section 3.2). To be called while tracing, on values that no pass has fused yet.
 */
import {ShapeError} from '../errors.ts';
import {binary, fill} from './ops/index.ts';
import {formatType, type OpNode, type Tensor} from './tensor.ts';
import {scoped} from './trace.ts';

/**
 * The gradient of a loss with respect to each of some tensors, of their shapes and dtypes. Work is recorded only for what
 * lies between them and the loss: frozen weights cost nothing.
 *
 * @param loss float32 with one element
 * @throws ShapeError for another loss
 */
export function gradients(loss: Tensor, of: readonly Tensor[]): Tensor[] {
  if (loss.size !== 1 || loss.dtype !== 'float32') {
    throw new ShapeError(
      `gradients: expected a loss of one float32 element, got ${formatType(loss)}. Sum or average it first.`,
    );
  }
  const known = new Map([[loss, fill({}, {shape: loss.shape, value: 1, dtype: 'float32'})]]);
  const path = pathTo(loss, new Set(of));
  const isOnPath = new Set([...path, ...of]);
  for (const tensor of path.toReversed()) {
    const gradient = known.get(tensor);
    if (gradient === undefined) continue;
    const {op, inputs, scope} = tensor.node as OpNode;
    const wanted = inputs.map(input => input !== undefined && isOnPath.has(input));
    const parts = scoped(scope, () => op.gradientsOf(tensor, gradient, wanted));
    for (const [index, part] of parts.entries()) {
      if (part === undefined || !wanted[index]) continue;
      const input = inputs[index]!;
      const before = known.get(input);
      known.set(input, before === undefined ? part : binary({a: before, b: part}, {kind: 'add'}));
    }
  }
  return of.map(({shape, dtype}, index) => known.get(of[index]!) ?? fill({}, {shape, value: 0, dtype}));
}

/** Results of ops that depend on the targets and that `loss` depends on, each after those that it reads. */
function pathTo(loss: Tensor, targets: ReadonlySet<Tensor>): Tensor[] {
  const path: Tensor[] = [];
  const depends = new Map<Tensor, boolean>();
  // A stack of its own: a model's graph is deeper than the language's.
  const stack: {readonly tensor: Tensor; readonly isVisited: boolean}[] = [{tensor: loss, isVisited: false}];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const {tensor, isVisited} = top;
    const inputs = tensor.node.kind === 'op' ? tensor.node.inputs.filter(input => input !== undefined) : [];
    if (isVisited) {
      const isOnPath = inputs.some(input => depends.get(input));
      depends.set(tensor, isOnPath || targets.has(tensor));
      if (isOnPath) path.push(tensor);
    } else if (!depends.has(tensor)) {
      depends.set(tensor, targets.has(tensor));
      stack.push({tensor, isVisited: true}, ...inputs.map(input => ({tensor: input, isVisited: false})));
    }
  }
  return path;
}
