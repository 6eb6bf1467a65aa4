/**
 * Weights as kernels want them: a recipe is cooked when it is first asked for, and its result shared by every program
 * that reads it.
 */
import {DisposedError} from '../errors.ts';
import {lower} from '../graph/lower.ts';
import type {Graph, ParameterNode, PreparedRecipe} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import {mapWeight} from './map-weight.ts';

interface Prepared {
  readonly recipe: PreparedRecipe;
  readonly value: Promise<DeviceTensor>;
}

export class PreparedWeights {
  readonly #device: Device;
  readonly #prepared = new Map<string, Prepared>();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** The value of a recipe, cooked unless it is there. */
  get(recipe: PreparedRecipe): Promise<DeviceTensor> {
    if (this.#disposed) throw new DisposedError('weights: used after dispose().');
    const known = this.#prepared.get(recipe.key);
    if (known !== undefined) return known.value;
    const value = cook(this.#device, recipe);
    this.#prepared.set(recipe.key, {recipe, value});
    value.catch(() => this.#prepared.delete(recipe.key));
    return value;
  }

  /** Whether a recipe's value is there, or on its way. */
  has(recipe: PreparedRecipe): boolean {
    return this.#prepared.has(recipe.key);
  }

  /** Bytes of a recipe's value in the layout of the device's kernels, and of the arena while it is cooked. */
  plan(recipe: PreparedRecipe): {readonly bytes: number; readonly arenaBytes: number} {
    if (isMappedOnly(recipe)) {
      const isCopied = this.#device.kind === 'cuda';
      return {bytes: isCopied ? recipe.graph.outputs[0]!.byteLength : 0, arenaBytes: 0};
    }
    const {outputBytes, peakBytes} = this.#device.compile(lower(recipe.graph).description).plan();
    return {bytes: outputBytes[0]!, arenaBytes: peakBytes};
  }

  /** Frees the values that are made from such a parameter, while no program runs; `get` makes them again. */
  async release(isStale: (parameter: ParameterNode) => boolean): Promise<void> {
    for (const [key, {recipe, value}] of this.#prepared) {
      if (!parametersOf(recipe.graph).some(isStale)) continue;
      this.#prepared.delete(key);
      await dispose(value);
    }
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const all = [...this.#prepared.values()];
    this.#prepared.clear();
    for (const {value} of all) await dispose(value);
  }
}

/** A value whose cooking failed is nothing to free. */
async function dispose(value: Promise<DeviceTensor>): Promise<void> {
  (await value.catch(() => undefined))?.dispose();
}

/** The weights that a recipe reads. */
function parametersOf({nodes, outputs}: Graph): ParameterNode[] {
  const read = nodes.flatMap(({node}) => (node.kind === 'op' ? node.inputs : []));
  return [...read, ...outputs].flatMap(tensor => (tensor?.node.kind === 'parameter' ? [tensor.node] : []));
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
