/**
 * What a generation will take of memory, from the plans of its programs; nothing is loaded or run.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import type {Engine} from '../engine/engine.ts';
import {sizeOf, type TensorType} from '../graph/tensor.ts';
import type {Device} from '../runtime/device.ts';
import {dtypeBytes} from '../runtime/dtype.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {type PlanRequest, planGeneration} from './plan-generation.ts';

/** Bytes at the end of a generation, when all that it prepares is there. */
export interface MemoryEstimate {
  /** What the process holds as it is now: resident memory, or on CUDA the device's. */
  readonly baselineBytes: number;
  /** Weights that stay, in the kernels' layouts, and are not prepared yet. */
  readonly weightBytes: number;
  /** Activations of the largest program, with what it prepares of its weights at a time. */
  readonly arenaBytes: number;
  /** Keys, values and other results that live from step to step. */
  readonly heldBytes: number;
  readonly totalBytes: number;
}

/**
 * Other generations that run at the same time come on top, and so do the pages of one layer's weights in their file, while
 * they are read.
 */
export function estimateMemory(models: PipelineModels, request: PlanRequest): MemoryEstimate {
  const {programs, held} = planGeneration(models, request);
  return memoryOf(
    models.engine,
    programs,
    held.reduce((sum, type) => sum + bytesOf(type), 0),
  );
}

/** What programs will take that run one after the other, beside results of so many bytes that outlive them. */
export function memoryOf(
  {device, weights}: Engine,
  programs: readonly FunctionPlan[],
  heldBytes: number,
): MemoryEstimate {
  const baselineBytes = heldOn(device);
  const recipes = new Map(
    programs.flatMap(program => program.recipes.map(recipe => [recipe.key, recipe] as const)),
  );
  const costs = [...recipes.values()]
    .filter(recipe => !weights.has(recipe))
    .map(recipe => weights.plan(recipe));
  const weightBytes = costs.reduce((sum, {bytes}) => sum + bytes, 0);
  const arenaBytes = Math.max(
    ...programs.map(({program}) => program.peakBytes),
    ...costs.map(cost => cost.arenaBytes),
  );
  const newArenaBytes = Math.max(0, arenaBytes - device.memoryUsage().arenaBytes);
  const totalBytes = baselineBytes + weightBytes + newArenaBytes + heldBytes;
  return {baselineBytes, weightBytes, arenaBytes, heldBytes, totalBytes};
}

function heldOn(device: Device): number {
  if (device.kind === 'cpu') return process.memoryUsage.rss();
  const {bufferBytes, arenaBytes} = device.memoryUsage();
  return bufferBytes + arenaBytes;
}

export function bytesOf({shape, dtype}: TensorType): number {
  return sizeOf(shape) * dtypeBytes[dtype];
}
