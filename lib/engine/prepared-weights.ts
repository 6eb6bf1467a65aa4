/**
 * Weights as kernels want them: each recipe is cooked once, and its result shared by every program that reads it.
 */
import {DisposedError, InternalError} from '../errors.ts';
import {lower} from '../graph/lower.ts';
import {opNode} from '../graph/passes/rewrite.ts';
import type {Graph, ParameterSource, PreparedRecipe, Tensor} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import {FileWeights} from './file-weights.ts';

export class PreparedWeights {
  readonly #device: Device;
  readonly #values = new Map<
    string,
    {readonly recipe: PreparedRecipe; readonly value: Promise<DeviceTensor>}
  >();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** The value of a recipe, cooked at the first call and kept until its weights are released. */
  get(recipe: PreparedRecipe): Promise<DeviceTensor> {
    if (this.#disposed) throw new DisposedError('weights: used after dispose().');
    const known = this.#values.get(recipe.key);
    if (known !== undefined) return known.value;
    const value = cook(this.#device, recipe);
    this.#values.set(recipe.key, {recipe, value});
    value.catch(() => this.#values.delete(recipe.key));
    return value;
  }

  /** Whether a recipe's value is there, or on its way. */
  has(recipe: PreparedRecipe): boolean {
    return this.#values.has(recipe.key);
  }

  /** Bytes of a recipe's value in the layout of the device's kernels, and of the arena while it is cooked. */
  plan(recipe: PreparedRecipe): {readonly bytes: number; readonly arenaBytes: number} {
    if (isMappedOnly(recipe)) return {bytes: 0, arenaBytes: 0};
    const {outputBytes, peakBytes} = this.#device.compile(lower(recipe.graph).description).plan();
    return {bytes: outputBytes[0]!, arenaBytes: peakBytes};
  }

  /** Frees what was prepared from a source's weights. */
  async release(source: ParameterSource): Promise<void> {
    for (const [key, {recipe, value}] of this.#values) {
      if (!sourcesOf(recipe.graph).has(source)) continue;
      this.#values.delete(key);
      (await value).dispose();
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const values = [...this.#values.values()];
    this.#values.clear();
    for (const {value} of values) (await value.catch(() => undefined))?.dispose();
  }
}

/** Maps a recipe's weights from their file, runs its small program, and lets the file's pages go. */
async function cook(device: Device, recipe: PreparedRecipe): Promise<DeviceTensor> {
  const [output] = recipe.graph.outputs;
  if (isMappedOnly(recipe)) return mapWeight(device, output!);
  const {description, parameters} = lower(recipe.graph);
  const program = device.compile(description);
  const mapped = parameters.map(tensor => mapWeight(device, tensor));
  try {
    const {outputs} = await program.run({inputs: [], parameters: mapped});
    return outputs[0]!;
  } finally {
    for (const tensor of mapped) tensor.dispose();
  }
}

/** A weight that kernels read as the file has it, such as an embedding table, of which few rows are ever touched. */
function isMappedOnly({graph}: PreparedRecipe): boolean {
  return graph.nodes.length === 0;
}

function mapWeight(device: Device, tensor: Tensor): DeviceTensor {
  const {node} = tensor;
  if (node.kind !== 'parameter' || !(node.source instanceof FileWeights)) {
    throw new InternalError('a recipe reads something other than weights in a file.');
  }
  const stored = node.source.stored(node.name);
  return device.mapTensor(stored.file, stored.byteOffset, {shape: tensor.shape, dtype: tensor.dtype});
}

function sourcesOf(graph: Graph): Set<ParameterSource> {
  const operands = [...graph.nodes.flatMap(tensor => opNode(tensor).inputs), ...graph.outputs];
  return new Set(operands.flatMap(tensor => (tensor?.node.kind === 'parameter' ? [tensor.node.source] : [])));
}
