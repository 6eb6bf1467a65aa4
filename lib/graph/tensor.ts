/**
 * Symbolic tensors and the nodes that make them. No data lives here.
 */

import {type DType, dtypeBytes} from '../runtime/dtype.ts';
import type {AttributeValue} from '../runtime/program.ts';

/** `dense` is row-major; the packed layouts are a kernel's own and come only from the `pack_*` ops. */
export type Layout = 'dense' | 'packed-linear' | 'packed-linear-glu' | `packed-conv2d-${ConvAlgorithm}`;

/**
 * How a convolution is computed, for which its weight is packed: `winograd_4x4` reads what `direct` reads, the others
 * transformed kernels. See passes/choose-conv-algorithms.ts.
 */
export const convAlgorithms = [
  'direct',
  'winograd_4x4',
  'winograd_4x4_held',
  'winograd_2x2_held',
  'winograd_6x6_held',
] as const;
export type ConvAlgorithm = (typeof convAlgorithms)[number];

/** Extents, element type and layout: all that is known of a tensor before it has data. */
export interface TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Default `dense`. */
  readonly layout?: Layout;
}

/** `'u32'`, `'i32'`, `'f32'`, `'bool'`, `'i32[]'`, or the list of names an enum may take. */
export type AttributeKind = 'u32' | 'i32' | 'f32' | 'bool' | 'i32[]' | readonly string[];
export type AttributeKinds = Readonly<Record<string, AttributeKind>>;

/** Arithmetic and traffic of one node, for profiles and floors. Defaults: reads and writes all operands once. */
export interface Cost {
  readonly flops: number;
  readonly bytes?: number;
}

/** An op without its static types: what passes, printers and the hand-over see. */
export interface Op {
  readonly name: string;
  readonly roles: readonly string[];
  readonly attributeKinds: AttributeKinds;
  /** Records a node from inputs in role order. */
  apply(
    inputs: readonly (Tensor | undefined)[],
    attributes: Readonly<Record<string, AttributeValue>>,
  ): Tensor;
  costOf(node: {
    readonly inputs: readonly (Tensor | undefined)[];
    readonly attributes: Readonly<Record<string, AttributeValue>>;
    readonly output: TensorType;
  }): Required<Cost>;
  /**
   * Records the gradients of a node's inputs, given that of its output: of those that are wanted, in role order;
   * undefined for inputs that have none.
   */
  gradientsOf(output: Tensor, gradient: Tensor, wanted: readonly boolean[]): (Tensor | undefined)[];
}

/** Where named weights come from. The graph compares sources by identity and prints their label. */
export interface ParameterSource {
  readonly label: string;
}

export interface InputNode {
  readonly kind: 'input';
  /** Path in the traced function's arguments, e.g. `textKeyValues.3.key`. */
  readonly name: string;
}

export interface ParameterNode {
  readonly kind: 'parameter';
  readonly source: ParameterSource;
  readonly name: string;
}

/** The value of a graph over weights alone, computed once and shared: see passes/prepare-weights.ts. */
export interface PreparedNode {
  readonly kind: 'prepared';
  readonly recipe: PreparedRecipe;
}

export interface OpNode {
  readonly kind: 'op';
  readonly op: Op;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Path of the weights or the module in whose code the node was traced. */
  readonly scope: string;
}

export type GraphNode = InputNode | ParameterNode | PreparedNode | OpNode;

/** Equal keys mean equal values: the key spells out ops, attributes and weights. */
export interface PreparedRecipe {
  readonly key: string;
  /** A graph without inputs and with one output. */
  readonly graph: Graph;
}

/** A traced function: inputs in the order of its flattened arguments, nodes in execution order. */
export interface Graph {
  readonly inputs: readonly Tensor[];
  readonly nodes: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/** The symbolic result of a node. */
export class Tensor implements TensorType {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly layout: Layout;
  readonly node: GraphNode;

  constructor(type: TensorType, node: GraphNode) {
    this.shape = type.shape;
    this.dtype = type.dtype;
    this.layout = type.layout ?? 'dense';
    this.node = node;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes in dense layout. */
  get byteLength(): number {
    return this.size * dtypeBytes[this.dtype];
  }

  /** Extent of an axis; negative axes count from the end. */
  dim(axis: number): number {
    const extent = this.shape.at(axis);
    if (extent === undefined) throw new RangeError(`axis ${axis} of ${formatType(this)}`);
    return extent;
  }
}

/** Product of extents. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

const shortNames: Readonly<Record<DType, string>> = {
  float32: 'f32',
  float16: 'f16',
  bfloat16: 'bf16',
  int32: 'i32',
  uint8: 'u8',
};

/** `f32[2, 4096, 320]`, with the layout where it is not dense. */
export function formatType(type: TensorType): string {
  const layout = type.layout === undefined || type.layout === 'dense' ? '' : `:${type.layout}`;
  return `${shortNames[type.dtype]}[${type.shape.join(', ')}]${layout}`;
}
