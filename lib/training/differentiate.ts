/**
 * The compiled training step: a batch in, its loss and the gradients of the trained weights out.
 */
import type {CompiledFunction, RunOptions} from '../engine/compiled-function.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {MapTree} from '../graph/tree.ts';
import type {Device} from '../runtime/device.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import type {OptimizerState} from './adamw.ts';
import {type HostBatch, withBatchOn} from './device-batch.ts';
import type {Objective} from './objective.ts';
import {type GradientsWithNorm, type Loss, type StepInputs, stateGradients} from './state-gradients.ts';

export type GradientStep<Batch> = CompiledFunction<StepInputs<Batch>, Loss & GradientsWithNorm>;

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

export function compileGradientStep<Batch>(
  {engine, label, lossOf}: Pick<Objective<Batch>, 'engine' | 'label' | 'lossOf'>,
  {recompute}: {readonly recompute: boolean},
): GradientStep<Batch> {
  return engine.compile('train', ({state, batch, lossScale}: StepInputs<Batch>) =>
    stateGradients(label, state, weights => ({loss: lossOf(weights, batch).loss}), {recompute, lossScale}),
  );
}

/** Whether a step can be taken with them. */
export function hasFiniteResult({loss, squaredNorm}: Pick<Differentiated, 'loss' | 'squaredNorm'>): boolean {
  return Number.isFinite(loss) && Number.isFinite(squaredNorm);
}

export async function differentiate<Batch>(
  step: GradientStep<Batch>,
  device: Device,
  state: OptimizerState,
  batch: HostBatch<Batch>,
  {lossScale, ...options}: DifferentiateOptions = {},
): Promise<Differentiated> {
  const scale =
    lossScale === undefined ? undefined : DeviceTensor.from(device, Float32Array.of(lossScale), [1]);
  try {
    return await withBatchOn<Batch, Differentiated>(device, batch, async on => {
      const inputs = {state, batch: on, lossScale: scale} as MapTree<StepInputs<Batch>, Tensor, DeviceTensor>;
      const {loss, squaredNorm, gradients} = (await step.run(inputs, options)) as StepResult;
      return {loss: await scalar(loss), squaredNorm: await scalar(squaredNorm), gradients};
    });
  } finally {
    scale?.dispose();
  }
}

type StepResult = MapTree<Loss & GradientsWithNorm, Tensor, DeviceTensor>;

/** The one value of a tensor, which is freed. */
export async function scalar(tensor: DeviceTensor): Promise<number> {
  const [value] = await tensor.toFloat32Array();
  tensor.dispose();
  return value!;
}
