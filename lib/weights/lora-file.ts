import {WeightsError} from '../errors.ts';
import {declaredScale} from './lora-metadata.ts';
import {canonicalLoraTensors, type LoraModel, type LoraTargets} from './lora-names.ts';
import {readTensor} from './read-tensor.ts';
import {reconcile} from './reconcile.ts';
import {elementCount, formatShape, type TensorMap, type WeightIndex} from './stored-tensor.ts';
import {refuseOtherBase} from './unsupported-lora.ts';

/** What a LoRA adds to a weight [out, in, ...]: scale · up · down (Hu et al. 2021, LoRA, §4.1). */
export interface LoraLayer {
  /** Name of the factor [rank, in, ...]. */
  readonly down: string;
  /** Name of the factor [out, rank]. */
  readonly up: string;
  readonly rank: number;
  /** alpha / rank; 1 where the file does not say. */
  readonly scale: number;
}

export interface Lora {
  readonly tensors: TensorMap;
  /** By the names of the weights that they change. */
  readonly layers: Readonly<Record<LoraModel, ReadonlyMap<string, LoraLayer>>>;
}

/**
 * Pairs the tensors of a LoRA file with the weights of the models.
 * @param textWidth channels of the text tokens that the UNet attends to.
 * @throws WeightsError that lists all tensors which fit no layer, or names the other base model that the file is for.
 */
export async function readLora(
  {path, tensors, metadata}: WeightIndex,
  targets: LoraTargets,
  textWidth: number,
): Promise<Lora> {
  refuseOtherBase(tensors, textWidth, path);
  const found = canonicalLoraTensors(tensors, targets);
  const updates = findUpdates(found, targets);
  const factors = reconcile(expectedShapes(found, updates), found, `LoRA ${path}`);
  expectFactors(factors, path);

  const declared = declaredScale(metadata, path);
  const layers = {unet: new Map<string, LoraLayer>(), text_encoder: new Map<string, LoraLayer>()};
  for (const {model, module, rank} of updates) {
    const name = `${model}.${module}`;
    const alpha = factors.get(`${name}.alpha`);
    const own = alpha && (await readTensor(alpha))[0]! / rank;
    const scale = own ?? declared(model, module, rank) ?? 1;
    if (!Number.isFinite(scale)) {
      throw new WeightsError(
        `${path}: expected a finite alpha for ${name}; got ${scale * rank}. The file is damaged: use another.`,
      );
    }
    const layer = {down: `${name}.lora_A.weight`, up: `${name}.lora_B.weight`, rank, scale};
    layers[model].set(`${module}.weight`, layer);
  }
  return {tensors: factors, layers};
}

/** A weight of which the file has something. */
interface Update {
  readonly model: LoraModel;
  readonly module: string;
  readonly shape: readonly number[];
  readonly rank: number;
}

function findUpdates(found: TensorMap, targets: LoraTargets): Update[] {
  return (['unet', 'text_encoder'] as const).flatMap(model =>
    [...targets[model]].flatMap(([weight, shape]) => {
      const module = weight.replace(/\.weight$/, '');
      const parts = ['lora_A.weight', 'lora_B.weight', 'alpha'].map(part =>
        found.get(`${model}.${module}.${part}`),
      );
      if (parts.every(part => part === undefined)) return [];
      const rank = parts[0]?.shape[0] ?? parts[1]?.shape[1] ?? 1;
      return [{model, module, shape, rank: Math.max(rank, 1)}];
    }),
  );
}

function expectedShapes(found: TensorMap, updates: readonly Update[]): Map<string, readonly number[]> {
  const expected = new Map<string, readonly number[]>();
  for (const {model, module, shape, rank} of updates) {
    const name = `${model}.${module}`;
    expected.set(`${name}.lora_A.weight`, [rank, ...shape.slice(1)]);
    expected.set(`${name}.lora_B.weight`, [shape[0]!, rank]);
    const alpha = found.get(`${name}.alpha`);
    // A scalar, in some files an array of one.
    if (alpha !== undefined)
      expected.set(`${name}.alpha`, elementCount(alpha.shape) === 1 ? alpha.shape : []);
  }
  return expected;
}

/** Refuses a file without tensors, and factors that kernels cannot read. */
function expectFactors(factors: TensorMap, path: string): void {
  if (factors.size === 0)
    throw new WeightsError(`${path}: expected a LoRA; got no tensors. Use another file.`);
  const others = [...factors].filter(
    ([name, {dtype}]) => name.endsWith('.weight') && !['float32', 'float16', 'bfloat16'].includes(dtype),
  );
  if (others.length === 0) return;
  const lines = others.map(([name, {dtype, shape}]) => `  ${name} ${formatShape(shape)} ${dtype}`);
  throw new WeightsError(
    `${path}: expected float32, float16 or bfloat16; got\n${lines.join('\n')}\nConvert the file first.`,
  );
}
