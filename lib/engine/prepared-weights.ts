/**
 * Weights as kernels want them: a recipe is cooked when it is first asked for, and its result shared by every program
 * that reads it.
 */
import {DisposedError} from '../errors.ts';
import {lower} from '../graph/lower.ts';
import type {PreparedRecipe} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import type {DeviceTensor} from '../runtime/device-tensor.ts';
import {mapWeight} from './map-weight.ts';

export class PreparedWeights {
  readonly #device: Device;
  readonly #values = new Map<string, Promise<DeviceTensor>>();
  #disposed = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** The value of a recipe, cooked unless it is there. */
  get(recipe: PreparedRecipe): Promise<DeviceTensor> {
    if (this.#disposed) throw new DisposedError('weights: used after dispose().');
    const known = this.#values.get(recipe.key);
    if (known !== undefined) return known;
    const value = cook(this.#device, recipe);
    this.#values.set(recipe.key, value);
    value.catch(() => this.#values.delete(recipe.key));
    return value;
  }

  /** Whether a recipe's value is there, or on its way. */
  has(recipe: PreparedRecipe): boolean {
    return this.#values.has(recipe.key);
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

  async dispose(): Promise<void> {
    this.#disposed = true;
    const all = [...this.#values.values()];
    this.#values.clear();
    // A value whose cooking failed is nothing to free.
    for (const value of all) (await value.catch(() => undefined))?.dispose();
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
