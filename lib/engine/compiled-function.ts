/**
 * A traced function with its programs, one per input signature.
 */
import {setImmediate} from 'node:timers/promises';
import {lower} from '../graph/lower.ts';
import {chooseConvAlgorithms} from '../graph/passes/choose-conv-algorithms.ts';
import {fuseEpilogues} from '../graph/passes/fuse-epilogues.ts';
import {prepareWeights} from '../graph/passes/prepare-weights.ts';
import type {Graph, PreparedRecipe, Tensor, TensorType} from '../graph/tensor.ts';
import {isTensor, trace} from '../graph/trace.ts';
import {flattenTree, type MapTree, mapTree, type Tree} from '../graph/tree.ts';
import type {Device} from '../runtime/device.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import type {CompiledProgram, ProgramPlan} from '../runtime/program-handle.ts';
import {mapWeight} from './map-weight.ts';
import type {PreparedWeights} from './prepared-weights.ts';
import type {ProfileSink} from './profile.ts';

export interface FunctionOptions {
  /**
   * Whether weights are prepared within each run, layer by layer and in the memory of activations, instead of once and
   * for all: for models that run once a picture. Default false.
   */
  readonly streamsWeights?: boolean;
  /**
   * Names of inputs that are trees of tensors which nobody needs after a run, even where it fails: results may take their
   * place. A tensor that has become a result is returned itself; the others are the caller's to dispose, and hold nothing.
   * Default: none.
   */
  readonly donates?: readonly string[];
}

export interface RunOptions {
  /** Checked between ops; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Takes the time of each node. */
  readonly profile?: ProfileSink | undefined;
  /** Fail at the first op whose output holds a NaN. Default: as `IPAI_CHECK_NAN` says. */
  readonly checkNan?: boolean | undefined;
}

/** What a call will need, known before anything runs. */
export interface FunctionPlan<Output = unknown> {
  /** The function's name. */
  readonly name: string;
  readonly graph: Graph;
  readonly program: ProgramPlan;
  /** Types of the results. */
  readonly output: MapTree<Output, Tensor, TensorType>;
  /** Recipes of the weights that are prepared before the first run, and stay. */
  readonly recipes: readonly PreparedRecipe[];
}

interface Compiled<Output> {
  readonly graph: Graph;
  readonly program: CompiledProgram;
  /** What the program reads beside its inputs: prepared weights, or weights in their files. */
  readonly parameters: readonly Tensor[];
  /** The function's result with the index of an output at each leaf. */
  readonly outputTree: MapTree<Output, Tensor, number>;
}

export class CompiledFunction<Inputs, Output> {
  readonly name: string;
  readonly #device: Device;
  readonly #weights: PreparedWeights;
  readonly #streamsWeights: boolean;
  readonly #donates: readonly string[];
  readonly #fn: (inputs: Inputs) => Output;
  readonly #compiled = new Map<string, Compiled<Output>>();
  readonly #compiling = new Map<string, Promise<Compiled<Output>>>();

  constructor(
    device: Device,
    weights: PreparedWeights,
    name: string,
    fn: (inputs: Inputs) => Output,
    {streamsWeights = false, donates = []}: FunctionOptions,
  ) {
    this.#device = device;
    this.#weights = weights;
    this.name = name;
    this.#fn = fn;
    this.#streamsWeights = streamsWeights;
    this.#donates = donates;
  }

  /**
   * Runs the function. The results are the caller's to dispose.
   *
   * @throws ShapeError, DTypeError at the first call with a signature that the function refuses; NumericError where NaN is
   *   looked for and found
   */
  async run(
    inputs: MapTree<Inputs, Tensor, DeviceTensor>,
    {signal, profile, checkNan}: RunOptions = {},
  ): Promise<MapTree<Output, Tensor, DeviceTensor>> {
    signal?.throwIfAborted();
    const leaves = flattenTree(inputs as Tree<DeviceTensor>, isDeviceTensor);
    const compiled = await this.#compileInTurns(inputs as Tree<TensorType>, isDeviceTensor);
    const parameters: DeviceTensor[] = [];
    const mapped: DeviceTensor[] = [];
    try {
      for (const tensor of compiled.parameters) {
        const {node} = tensor;
        const isPrepared = node.kind === 'prepared';
        const value = isPrepared ? await this.#weights.get(node.recipe) : mapWeight(this.#device, tensor);
        parameters.push(value);
        if (!isPrepared) mapped.push(value);
        signal?.throwIfAborted();
      }
      const {outputs, profile: times} = await compiled.program.run({
        inputs: leaves.map(leaf => leaf.value),
        parameters,
        signal,
        profile: profile !== undefined,
        checkNan,
      });
      if (times !== undefined) profile?.add(this.name, compiled.graph, times);
      return mapTree(compiled.outputTree as Tree<number>, isIndex, index => outputs[index]!) as MapTree<
        Output,
        Tensor,
        DeviceTensor
      >;
    } finally {
      for (const tensor of mapped) tensor.dispose();
    }
  }

  /** Traces and plans for inputs of these types, without weights and without running. */
  plan(types: MapTree<Inputs, Tensor, TensorType>): FunctionPlan<Output> {
    const {graph, program, parameters, outputTree} = this.#compileAtOnce(
      types as Tree<TensorType>,
      isTensorType,
    );
    const output = mapTree(outputTree as Tree<number>, isIndex, (index): TensorType => {
      const {shape, dtype} = graph.outputs[index]!;
      return {shape, dtype};
    });
    return {
      name: this.name,
      graph,
      program: program.plan(),
      recipes: parameters.flatMap(({node}) => (node.kind === 'prepared' ? [node.recipe] : [])),
      output: output as MapTree<Output, Tensor, TensorType>,
    };
  }

  #compileAtOnce<T extends TensorType>(
    inputs: Tree<T>,
    isLeaf: (value: unknown) => value is T,
  ): Compiled<Output> {
    const signature = signatureOf(inputs, isLeaf);
    const known = this.#compiled.get(signature);
    if (known !== undefined) return known;
    const stages = this.#compileStages(inputs, isLeaf);
    let stage = stages.next();
    while (!stage.done) stage = stages.next();
    this.#compiled.set(signature, stage.value);
    return stage.value;
  }

  /** As above, with a turn of the event loop between stages: a large model takes some 100 ms in all. */
  #compileInTurns<T extends TensorType>(
    inputs: Tree<T>,
    isLeaf: (value: unknown) => value is T,
  ): Promise<Compiled<Output>> | Compiled<Output> {
    const signature = signatureOf(inputs, isLeaf);
    const known = this.#compiled.get(signature) ?? this.#compiling.get(signature);
    if (known !== undefined) return known;
    const compiling = (async () => {
      const stages = this.#compileStages(inputs, isLeaf);
      let stage = stages.next();
      while (!stage.done) {
        await setImmediate();
        stage = stages.next();
      }
      this.#compiled.set(signature, stage.value);
      return stage.value;
    })().finally(() => this.#compiling.delete(signature));
    this.#compiling.set(signature, compiling);
    return compiling;
  }

  *#compileStages<T extends TensorType>(
    inputs: Tree<T>,
    isLeaf: (value: unknown) => value is T,
  ): Generator<void, Compiled<Output>> {
    const types = mapTree(inputs, isLeaf, ({shape, dtype}): TensorType => ({shape, dtype}));
    const traced = trace(this.#fn, types as MapTree<Inputs, Tensor, TensorType>);
    yield;
    const fused = fuseEpilogues(traced.graph);
    yield;
    const chosen = this.#device.kind === 'cpu' ? chooseConvAlgorithms(fused) : fused;
    yield;
    const graph = this.#streamsWeights ? chosen : prepareWeights(chosen);
    yield;
    const paths = flattenTree(inputs, isLeaf).map(({path}) => path.split('.', 1)[0]!);
    const donated = [...paths.keys()].filter(index => this.#donates.includes(paths[index]!));
    const {description, parameters} = lower(graph, donated);
    let next = 0;
    const outputTree = mapTree(traced.output as Tree<Tensor>, isTensor, () => next++);
    return {
      graph,
      parameters,
      program: this.#device.compile(description),
      outputTree: outputTree as MapTree<Output, Tensor, number>,
    };
  }
}

/** Equal signatures run the same program. */
function signatureOf<T extends TensorType>(inputs: Tree<T>, isLeaf: (value: unknown) => value is T): string {
  return flattenTree(inputs, isLeaf)
    .map(({path, value}) => `${path}:${value.dtype}[${value.shape.join()}]`)
    .join(' ');
}

function isDeviceTensor(value: unknown): value is DeviceTensor {
  return value instanceof DeviceTensor;
}

function isTensorType(value: unknown): value is TensorType {
  return typeof value === 'object' && value !== null && 'shape' in value && 'dtype' in value;
}

function isIndex(value: unknown): value is number {
  return typeof value === 'number';
}
