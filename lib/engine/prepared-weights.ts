/**
 * Weights as kernels want them: a recipe is cooked when it is first asked for, and its result shared by every program
 * that reads it until none of its holders is left.
 */
import {DisposedError, InternalError} from '../errors.ts';
import {lower} from '../graph/lower.ts';
import type {PreparedRecipe, Tensor} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import {FileWeights} from './file-weights.ts';

interface Prepared {
  readonly value: Promise<DeviceTensor>;
  /** Whoever asked for it and has not released it. */
  readonly holders: Set<object>;
}

export class PreparedWeights {
  readonly #device: Device;
  readonly #values = new Map<string, Prepared>();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** The value of a recipe, cooked unless it is there; kept until all who asked for it have released it. */
  get(recipe: PreparedRecipe, holder: object): Promise<DeviceTensor> {
    if (this.#disposed) throw new DisposedError('weights: used after dispose().');
    const known = this.#values.get(recipe.key);
    if (known !== undefined) {
      known.holders.add(holder);
      return known.value;
    }
    const value = cook(this.#device, recipe);
    this.#values.set(recipe.key, {value, holders: new Set([holder])});
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

  /** Frees what only this holder asked for. */
  async release(holder: object): Promise<void> {
    const unused: Prepared[] = [];
    for (const [key, prepared] of this.#values) {
      if (!prepared.holders.delete(holder) || prepared.holders.size > 0) continue;
      this.#values.delete(key);
      unused.push(prepared);
    }
    await dispose(unused);
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    const all = [...this.#values.values()];
    this.#values.clear();
    await dispose(all);
  }
}

async function dispose(values: readonly Prepared[]): Promise<void> {
  // A value whose cooking failed is nothing to free.
  for (const {value} of values) (await value.catch(() => undefined))?.dispose();
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
