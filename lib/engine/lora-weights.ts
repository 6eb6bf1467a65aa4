/**
 * Weights with low-rank updates (Hu et al. 2021, LoRA, §4.1): W + Σ weight · scale · up · down. The sum depends on
 * weights alone, so that it is prepared, with the packing, once: layers run as fast as without updates.
 */
import {sameShape} from '../graph/ops/check.ts';
import * as ops from '../graph/ops/index.ts';
import {type ParameterNode, sizeOf, type Tensor} from '../graph/tensor.ts';
import {add, castTo} from '../nn/layers.ts';
import type {WeightSource} from '../nn/weights.ts';
import type {LoraLayer} from '../weights/lora-file.ts';

/** A LoRA's part for one model. */
export interface LoraUpdate {
  readonly factors: WeightSource;
  /** By the names of the weights that they change. */
  readonly layers: ReadonlyMap<string, LoraLayer>;
  readonly weight: number;
}

export class LoraWeights implements WeightSource {
  readonly #base: WeightSource;
  readonly #updates: readonly LoraUpdate[];

  constructor(base: WeightSource, updates: readonly LoraUpdate[]) {
    this.#base = base;
    this.#updates = updates;
  }

  get label(): string {
    return this.#base.label;
  }

  tensor(name: string, shape: readonly number[]): Tensor {
    const weight = this.#base.tensor(name, shape);
    const matrix = [shape[0]!, sizeOf(shape) / shape[0]!] as const;
    const products = this.#updates.flatMap(update => {
      const layer = update.layers.get(name);
      return layer === undefined ? [] : [product(update, layer, matrix)];
    });
    if (products.length === 0) return weight;
    return shaped(products.reduce(add, shaped(castTo(weight, 'float32'), matrix)), shape);
  }

  /** Whether what is prepared from this parameter is another than without the updates. */
  changes({source, name}: ParameterNode): boolean {
    return this.#updates.some(
      ({factors, layers}) => source === factors || (source === this.#base && layers.has(name)),
    );
  }
}

/** weight · scale · up · down: float32 [rows, columns]. */
function product(
  {factors, weight}: LoraUpdate,
  {down, up, rank, scale}: LoraLayer,
  [rows, columns]: readonly [number, number],
): Tensor {
  const scaled = ops.affine(
    {x: castTo(factors.tensor(down, [rank, columns]), 'float32')},
    {scale: weight * scale, offset: 0},
  );
  return ops.linear(
    {
      x: castTo(factors.tensor(up, [rows, rank]), 'float32'),
      weight: ops.packLinear({weight: scaled}, {dtype: 'float32', glu: false, transposed: true}),
    },
    {activation: 'none'},
  );
}

function shaped(x: Tensor, shape: readonly number[]): Tensor {
  return sameShape(x.shape, shape) ? x : ops.reshape({x}, {shape});
}
