/**
 * Attention kernels as functions of their own.
 */
import type {CompiledFunction} from '../../engine/compiled-function.ts';
import * as ops from '../../graph/ops/index.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {
  type CallOptions,
  type CallPlace,
  call,
  engineOf,
  type Operand,
  placeOf,
  type ResultFor,
} from './call.ts';

/** B samples of N tokens each; channels are those of all heads, one head after the other. */
export interface AttentionInputs<Query extends Operand = Operand> {
  /** [B, N, heads·D] */
  readonly query: Query;
  /** [B, M, heads·D] */
  readonly key: Operand;
  /** [B, M, heads·D] */
  readonly value: Operand;
  /** float32 [B or 1, N or 1, M], added to the scores: 0 where a token is seen, -Infinity where it is not. */
  readonly mask?: Operand | undefined;
}

/** How `fusedAttention` reads its operands, of D channels a head. */
export interface AttentionOptions extends CallOptions {
  readonly heads: number;
  /** What scores are multiplied by. Default: 1/√D. */
  readonly scale?: number | undefined;
  /** Whether token n sees only tokens up to n. Default false. */
  readonly causal?: boolean | undefined;
}

/**
 * softmax(scale · q·kᵀ + mask)·v of each head, without a stored score matrix: [B, N, heads·D], where and of the dtype
 * that `query` is. Sums are float32. Rows that are masked out wholly give zeros.
 *
 * A result on a device is the caller's to dispose. Programs are compiled at the first call with each combination of
 * shapes and options, and kept.
 *
 * @throws ShapeError, DTypeError where operands do not fit each other; ArgumentError for a head width or dtype that the
 *   device has no kernel for; DeviceError for a device that cannot be had; OutOfMemoryError
 */
export async function fusedAttention<Query extends Operand>(
  {query, key, value, mask}: AttentionInputs<Query>,
  {heads, scale, causal = false, signal, ...options}: AttentionOptions,
): Promise<ResultFor<Query>> {
  const place = placeOf([query, key, value, mask], options);
  const attributes = {heads, scale: scale ?? defaultScale(query, heads), causal};
  const fn = functionOf('fusedAttention', place, attributes, ({query, key, value, mask}) =>
    ops.attention({q: query!, k: key!, v: value!, mask}, attributes),
  );
  return call<Query>(fn, {query, key, value, mask}, place, {signal, float32: ['mask']});
}

/** Of N queries, M text tokens and L image tokens, of D channels a head. */
export interface DecoupledCrossAttentionInputs<Query extends Operand = Operand> {
  /** [B, N, heads·D] */
  readonly query: Query;
  /** [B, M, heads·D] */
  readonly textKey: Operand;
  readonly textValue: Operand;
  /** [B, L, heads·D] */
  readonly imageKey: Operand;
  readonly imageValue: Operand;
  /** Weight of the image's part: one for all samples, one for each, or float32 [B]. */
  readonly imageScale: number | readonly number[] | Operand;
}

/** How `decoupledCrossAttention` reads its operands. */
export type DecoupledCrossAttentionOptions = Omit<AttentionOptions, 'causal'>;

/**
 * Decoupled cross-attention (IP-Adapter, Ye et al. 2023, eq. 5): attention to text tokens, plus `imageScale` times
 * attention to image tokens, with one read of the queries and one write: [B, N, heads·D], where and of the dtype that
 * `query` is.
 *
 * @throws as {@link fusedAttention}
 */
export async function decoupledCrossAttention<Query extends Operand>(
  {query, textKey, textValue, imageKey, imageValue, imageScale}: DecoupledCrossAttentionInputs<Query>,
  {heads, scale, signal, ...options}: DecoupledCrossAttentionOptions,
): Promise<ResultFor<Query>> {
  const operands = {
    query,
    textKey,
    textValue,
    imageKey,
    imageValue,
    imageScale: scaleOf(imageScale, query.shape[0]!),
  };
  const place = placeOf(Object.values(operands), options);
  const attributes = {heads, scale: scale ?? defaultScale(query, heads)};
  const fn = functionOf('decoupledCrossAttention', place, attributes, inputs =>
    ops.decoupledAttention(
      {
        q: inputs['query']!,
        k: inputs['textKey']!,
        v: inputs['textValue']!,
        image_k: inputs['imageKey']!,
        image_v: inputs['imageValue']!,
        image_scale: inputs['imageScale']!,
      },
      attributes,
    ),
  );
  return call<Query>(fn, operands, place, {signal, float32: ['imageScale']});
}

type Inputs = {readonly [name: string]: Tensor | undefined};

const functions = new Map<string, CompiledFunction<Inputs, Tensor>>();

function functionOf(
  name: string,
  {device}: CallPlace,
  attributes: object,
  fn: (inputs: Inputs) => Tensor,
): CompiledFunction<Inputs, Tensor> {
  const key = JSON.stringify([name, device.name, attributes]);
  const known = functions.get(key) ?? engineOf(device).compile(name, fn);
  functions.set(key, known);
  return known;
}

function defaultScale({shape}: Operand, heads: number): number {
  return (shape[2]! / heads) ** -0.5;
}

function scaleOf(scale: number | readonly number[] | Operand, batch: number): Operand {
  if (typeof scale === 'number') return {shape: [batch], data: new Float32Array(batch).fill(scale)};
  return Array.isArray(scale)
    ? {shape: [scale.length], data: Float32Array.from(scale as readonly number[])}
    : (scale as Operand);
}
