/**
 * The projection of an adapter as a function of its own.
 */
import type {CompiledFunction} from '../../engine/compiled-function.ts';
import {Engine} from '../../engine/engine.ts';
import {FileWeights} from '../../engine/file-weights.ts';
import type {Tensor} from '../../graph/tensor.ts';
import {imageTokens} from '../../models/ip-adapter.ts';
import {Weights} from '../../nn/weights.ts';
import {detectAdapterKind} from '../../weights/adapter-kind.ts';
import {canonicalAdapterTensors} from '../../weights/adapter-names.ts';
import type {WeightIndex} from '../../weights/stored-tensor.ts';
import {type CallOptions, type CallPlace, call, type Operand, placeOf, type ResultFor} from './call.ts';

/** One row a condition; float32 also where they are on a device. */
export interface InstructProjectionInputs<Image extends Operand = Operand> {
  /** Hidden states of the image encoder before its last layer: [B, N, imageWidth]. */
  readonly image: Image;
  /** Text tokens [B, M, textWidth]; for the released form of the adapter alone. */
  readonly prompt?: Operand | undefined;
  /** Text tokens [B, M, textWidth]. */
  readonly instruction?: Operand | undefined;
}

/** Whose projection it is, and where it runs. */
export interface InstructProjectionOptions extends CallOptions {
  /** The adapter's file, from `openWeights`. What is prepared of it for a device lives as long as this object. */
  readonly weights: WeightIndex;
  /** Attention heads. Default: 64 channels each, as all published adapters. */
  readonly heads?: number | undefined;
}

/**
 * The transformer with learnt queries that turns a condition image and an instruction into tokens for the UNet's
 * cross-attention (IPAdapter-Instruct, Rowles et al. 2024, §3.2): float32 [B, numTokens, crossAttentionDim], where
 * `image` is. Takes the projections of all other IP-Adapters too, which attend to the image alone.
 *
 * @param options `dtype` is that of the products; tokens and norms are float32
 * @throws WeightsError when the file is not of an adapter; ArgumentError where a text is missing that it attends to, or
 *   given that it would ignore; ShapeError, DTypeError; DeviceError; OutOfMemoryError
 */
export async function instructProjection<Image extends Operand>(
  {image, prompt, instruction}: InstructProjectionInputs<Image>,
  {weights, heads, signal, ...options}: InstructProjectionOptions,
): Promise<ResultFor<Image>> {
  const {device, dtype} = placeOf([undefined, image, prompt, instruction], options);
  const fn = projectionOf(weights, heads, {device, dtype});
  const operands = {image, prompt, instruction};
  return call<Image>(fn, operands, {device, dtype}, {signal, float32: Object.keys(operands)});
}

type Inputs = {readonly [name: string]: Tensor | undefined};

const projections = new WeakMap<WeightIndex, Map<string, CompiledFunction<Inputs, Tensor>>>();

function projectionOf(
  index: WeightIndex,
  heads: number | undefined,
  {device, dtype}: CallPlace,
): CompiledFunction<Inputs, Tensor> {
  const ofIndex = projections.get(index) ?? new Map<string, CompiledFunction<Inputs, Tensor>>();
  projections.set(index, ofIndex);
  const key = [device.name, dtype, heads].join();
  const known = ofIndex.get(key);
  if (known !== undefined) return known;
  const tensors = canonicalAdapterTensors(index);
  const adapter = detectAdapterKind(tensors, {what: index.path, ...(heads !== undefined && {heads})});
  const weights = new Weights(new FileWeights('adapter', tensors));
  const fn = new Engine(device).compile('instructProjection', ({image, prompt, instruction}: Inputs) =>
    imageTokens(weights, adapter, {image: image!, prompt, instruction}, dtype),
  );
  ofIndex.set(key, fn);
  return fn;
}
