/**
 * What a generation will take of memory, from the plans of its programs; nothing is loaded or run.
 */
import {sizeOf, type TensorType} from '../graph/tensor.ts';
import {dtypeBytes} from '../runtime/dtype.ts';
import {memoryUsage} from '../runtime/memory.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {type PlanRequest, planGeneration} from './plan-generation.ts';

/** Bytes at the end of a generation, when all that it prepares is there. */
export interface MemoryEstimate {
  /** Resident memory of the process as it is now. */
  readonly baselineBytes: number;
  /** Weights that stay, in the kernels' layouts, and are not prepared yet. */
  readonly weightBytes: number;
  /** Activations of the largest program, with what it prepares of its weights at a time. */
  readonly arenaBytes: number;
  /** Keys, values and other results that live from step to step. */
  readonly heldBytes: number;
  readonly totalBytes: number;
}

/** Other generations that run at the same time come on top, and so do pages of weight files while these are read. */
export function estimateMemory(models: PipelineModels, request: PlanRequest): MemoryEstimate {
  const {programs, held} = planGeneration(models, request);
  const heldBytes = held.reduce((sum, type) => sum + bytesOf(type), 0);
  const baselineBytes = process.memoryUsage.rss();
  const {weights} = models.engine;
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
  const newArenaBytes = Math.max(0, arenaBytes - memoryUsage().arenaBytes);
  const totalBytes = baselineBytes + weightBytes + newArenaBytes + heldBytes;
  return {baselineBytes, weightBytes, arenaBytes, heldBytes, totalBytes};
}

function bytesOf({shape, dtype}: TensorType): number {
  return sizeOf(shape) * dtypeBytes[dtype];
}
