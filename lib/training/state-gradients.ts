/**
 * Gradients of a loss with respect to the weights of an optimiser's state.
 */
import {gradients} from '../graph/gradients.ts';
import {binary, reduceSum, reshape, slice} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import {scoped} from '../graph/trace.ts';
import {Weights} from '../nn/weights.ts';
import {type NamedTensors, TrainableWeights} from './trainable-weights.ts';

export type GradientsWithNorm = {
  /** [1]: sum of all squared gradients. */
  readonly squaredNorm: Tensor;
  /** float32, of the weights' shapes. */
  readonly gradients: NamedTensors;
};

/** One float32 element: what is to become small. */
export type Loss = {readonly loss: Tensor};

/** Of a traced training step. */
export type StepInputs<Batch> = {
  /** Optimiser states [3, ...] by the weights' names. */
  readonly state: NamedTensors;
  readonly batch: Batch;
  /** float32 [1]: gradients are those of so many times the loss. */
  readonly lossScale?: Tensor | undefined;
};

/**
 * A loss and its gradients; to be called while tracing.
 *
 * @param label the trained model's name in scopes and messages
 * @param state optimiser states [3, ...] by the weights' names
 * @param lossOf records the loss of a model with these weights
 * @param recompute whether activations are computed again on the way back instead of kept
 * @param lossScale float32 [1]: gradients are those of so many times the loss
 */
export function stateGradients<L extends Loss>(
  label: string,
  state: NamedTensors,
  lossOf: (weights: Weights) => L,
  {recompute, lossScale}: {readonly recompute: boolean; readonly lossScale?: Tensor | undefined},
): L & GradientsWithNorm {
  const trained = new Map<string, Tensor>();
  // Cut from its state in the region that reads it first, a weight does not live from there to the way back.
  const read = (name: string) => {
    const tensor = trained.get(name) ?? (state[name] && weightOf(`${label}.${name}`, state[name]));
    if (tensor !== undefined) trained.set(name, tensor);
    return tensor;
  };
  const losses = lossOf(new Weights(new TrainableWeights(label, read)));
  const names = Object.keys(state);
  const {loss} = losses;
  const parts = gradients(
    lossScale === undefined
      ? loss
      : binary({a: loss, b: reshape({x: lossScale}, {shape: loss.shape})}, {kind: 'multiply'}),
    names.map(name => read(name)!),
    {recompute},
  );
  return {...losses, ...withNorm(Object.fromEntries(names.map((name, index) => [name, parts[index]!])))};
}

/** To be compiled: the sum of two batches' gradients, of equal names. */
export function sumGradients({a, b}: Readonly<Record<'a' | 'b', NamedTensors>>): GradientsWithNorm {
  const sums = Object.entries(a).map(([name, part]) => [name, binary({a: part, b: b[name]!}, {kind: 'add'})]);
  return withNorm(Object.fromEntries(sums));
}

function withNorm(gradients: NamedTensors): GradientsWithNorm {
  return {gradients, squaredNorm: squaredNormOf(gradients)};
}

/** To be compiled: the sum of all squares, float32 [1]. */
export function squaredNormOf(gradients: NamedTensors): Tensor {
  return Object.values(gradients)
    .map(squaredNorm)
    .reduce((a, b) => binary({a, b}, {kind: 'add'}));
}

/** The weight itself, of a state [3, ...]; nodes have the scope `path`. */
export function weightOf(path: string, state: Tensor): Tensor {
  return scoped(path, () => {
    const part = slice({x: state}, {axis: 0, start: 0, length: 1});
    return reshape({x: part}, {shape: state.shape.slice(1)});
  });
}

/** float32 [1] */
function squaredNorm(x: Tensor): Tensor {
  const flat = reshape({x}, {shape: [x.size]});
  const squares = binary({a: flat, b: flat}, {kind: 'multiply'});
  return reduceSum({x: squares}, {shape: [1], dtype: 'float32'});
}
