/**
 * Tracing: runs a function over symbolic tensors and records the ops it calls.
 */
import {InternalError} from '../errors.ts';
import {type Graph, type GraphNode, type ParameterSource, Tensor, type TensorType} from './tensor.ts';
import {flattenTree, type MapTree, mapTree, type Tree} from './tree.ts';

interface Recording {
  readonly nodes: Tensor[];
  readonly scopes: string[];
  /** One tensor per weight, however often it is asked for. */
  readonly parameters: Map<ParameterSource, Map<string, Tensor>>;
  readonly checkpoints: Map<Tensor, readonly Tensor[]>;
}

let current: Recording | undefined;

function recording(): Recording {
  if (current === undefined) throw new InternalError('an op was called outside of trace().');
  return current;
}

/** Runs `body` with a fresh recording and returns the ops recorded. Recordings nest. */
export function record<T>(body: () => T): {readonly value: T; readonly nodes: readonly Tensor[]} {
  const outer = current;
  const mine: Recording = {nodes: [], scopes: [], parameters: new Map(), checkpoints: new Map()};
  current = mine;
  try {
    return {value: body(), nodes: mine.nodes};
  } finally {
    current = outer;
  }
}

/** Adds an op's node to the recording; `op.ts` calls it. */
export function emit(type: TensorType, node: GraphNode): Tensor {
  const tensor = new Tensor(type, node);
  recording().nodes.push(tensor);
  return tensor;
}

/** The path of the innermost {@link scoped} call. */
export function currentScope(): string {
  return current?.scopes.at(-1) ?? '';
}

/** Gives the nodes that `body` records the scope `path`, e.g. `unet.mid_block.attentions.0`. */
export function scoped<T>(path: string, body: () => T): T {
  const {scopes} = recording();
  scopes.push(path);
  try {
    return body();
  } finally {
    scopes.pop();
  }
}

/**
 * Marks what `body` records as a region that `gradients` may record again when it comes to it, so that of the region
 * only its inputs live from the forward pass to the backward one (Chen et al. 2016, Training Deep Nets with Sublinear
 * Memory Cost, section 3). A checkpoint within another is a part of it.
 */
export function checkpoint<T>(body: () => T): T {
  const {nodes, checkpoints} = recording();
  const start = nodes.length;
  const value = body();
  const region = nodes.slice(start);
  for (const tensor of region) checkpoints.set(tensor, region);
  return value;
}

/** The nodes recorded so far, and of each that a {@link checkpoint} recorded, all that it did. */
export function recorded(): {
  readonly nodes: readonly Tensor[];
  readonly checkpoints: ReadonlyMap<Tensor, readonly Tensor[]>;
} {
  const {nodes, checkpoints} = recording();
  return {nodes: [...nodes], checkpoints};
}

/** The symbolic tensor of a weight. */
export function parameter(source: ParameterSource, name: string, type: TensorType): Tensor {
  const {parameters} = recording();
  const known = parameters.get(source) ?? new Map<string, Tensor>();
  parameters.set(source, known);
  const tensor = known.get(name) ?? new Tensor(type, {kind: 'parameter', source, name});
  known.set(name, tensor);
  return tensor;
}

/** A symbolic input named `name`. */
export function input(name: string, type: TensorType): Tensor {
  return new Tensor(type, {kind: 'input', name});
}

export interface Traced<Output> {
  readonly graph: Graph;
  /** What the function returned: the tree whose leaves, flattened, are `graph.outputs`. */
  readonly output: Output;
}

/**
 * Calls `fn` once with symbolic inputs of the given types.
 *
 * @param fn a function of a tree of tensors ({@link Tree}) to a tree of tensors, made of ops only
 * @param types the same tree with a {@link TensorType} at each leaf; `undefined` leaves stay undefined
 * @throws ShapeError, DTypeError where an op refuses its inputs
 */
export function trace<Inputs, Output>(
  fn: (inputs: Inputs) => Output,
  types: MapTree<Inputs, Tensor, TensorType>,
): Traced<Output> {
  const inputs: Tensor[] = [];
  const {value, nodes} = record(() => {
    const symbolic = mapTree(types as Tree<TensorType>, isTensorType, (type, path) => {
      const tensor = input(path, type);
      inputs.push(tensor);
      return tensor;
    });
    return fn(symbolic as Inputs);
  });
  const outputs = flattenTree(value as Tree<Tensor>, isTensor).map(leaf => leaf.value);
  return {graph: {inputs, nodes, outputs}, output: value};
}

export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value;
}
