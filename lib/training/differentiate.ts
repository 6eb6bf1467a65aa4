/**
 * The compiled training step: an encoded batch in, its loss and the adapter's gradients out.
 */
import type {CompiledFunction, RunOptions} from '../engine/compiled-function.ts';
import type {Tensor, TensorType} from '../graph/tensor.ts';
import type {MapTree} from '../graph/tree.ts';
import type {PipelineModels} from '../pipelines/pipeline-models.ts';
import type {Device} from '../runtime/device.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import type {OptimizerState} from './adamw.ts';
import {
  type AdapterBatch,
  type AdapterStepInputs,
  type AdapterStepOutputs,
  adapterGradients,
  type TrainedModel,
} from './adapter-gradients.ts';
import {adapterOf, type EncodedBatch} from './batches/encode-batch.ts';
import {mapBatch, withBatchOn} from './device-batch.ts';
import type {ResolvedTrainerOptions} from './trainer-options.ts';

export type GradientStep = CompiledFunction<AdapterStepInputs, AdapterStepOutputs>;

/** Gradients of the trained weights by name, float32. */
export type Gradients = Readonly<Record<string, DeviceTensor>>;

export interface DifferentiateOptions extends RunOptions {
  /** Gradients are those of so many times the loss. Default 1. */
  readonly lossScale?: number | undefined;
}

export interface Differentiated {
  readonly loss: number;
  /** Sum of all squared gradients. */
  readonly squaredNorm: number;
  /** The caller's to dispose. */
  readonly gradients: Gradients;
}

/** @throws ArgumentError where the models have no adapter */
export function compileGradientStep(models: PipelineModels, settings: StepSettings): GradientStep {
  const trained = trainedModel(models, settings);
  return models.engine.compile('train', (inputs: AdapterStepInputs) => adapterGradients(trained, inputs));
}

type StepSettings = Pick<ResolvedTrainerOptions, 'dtype' | 'recompute'>;

/** @throws ArgumentError where the models have no adapter */
export function trainedModel(models: PipelineModels, {dtype, recompute}: StepSettings): TrainedModel {
  const {weights: unet, config} = models.denoiser;
  return {unet, config, adapter: adapterOf(models).adapter.description, dtype, recompute};
}

/** Whether a step can be taken with them. */
export function hasFiniteResult({loss, squaredNorm}: Pick<Differentiated, 'loss' | 'squaredNorm'>): boolean {
  return Number.isFinite(loss) && Number.isFinite(squaredNorm);
}

export async function differentiate(
  step: GradientStep,
  device: Device,
  state: OptimizerState,
  batch: EncodedBatch,
  {lossScale, ...options}: DifferentiateOptions = {},
): Promise<Differentiated> {
  const scale = lossScale === undefined ? undefined : uploadScale(device, lossScale);
  try {
    return await withBatchOn(device, batch, async inputs => {
      const outputs = await step.run({state, batch: inputs, lossScale: scale}, options);
      const {loss, errors, squaredNorm, gradients} = outputs;
      errors.dispose();
      return {loss: await scalar(loss), squaredNorm: await scalar(squaredNorm), gradients};
    });
  } finally {
    scale?.dispose();
  }
}

function uploadScale(device: Device, value: number): DeviceTensor {
  return DeviceTensor.from(device, Float32Array.of(value), [1, 1, 1, 1]);
}

/** For plans of the step. */
export function batchTypes(batch: EncodedBatch): MapTree<AdapterBatch, Tensor, TensorType> {
  return mapBatch(batch, ({shape}): TensorType => ({shape, dtype: 'float32'}));
}

/** The one value of a tensor, which is freed. */
export async function scalar(tensor: DeviceTensor): Promise<number> {
  const [value] = await tensor.toFloat32Array();
  tensor.dispose();
  return value!;
}
