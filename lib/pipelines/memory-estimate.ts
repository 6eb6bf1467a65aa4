/**
 * What a generation will take of memory, from the plans of its programs; nothing is loaded or run.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import type {PreparedWeights} from '../engine/prepared-weights.ts';
import type {WeightGroup} from '../engine/weight-group.ts';
import {sizeOf, type TensorType} from '../graph/tensor.ts';
import {dtypeBytes} from '../runtime/dtype.ts';
import {memoryUsage} from '../runtime/memory.ts';
import type {PipelineModels} from './pipeline-models.ts';
import {type PlanRequest, planGeneration} from './plan-generation.ts';

/** Bytes, at the moment of a generation that takes most. */
export interface MemoryEstimate {
  /** Resident memory of the process as it is now. */
  readonly baselineBytes: number;
  /** Weights, in the kernels' layouts, that are not prepared yet. */
  readonly weightBytes: number;
  /** Activations: of the largest program since they were last given back. */
  readonly arenaBytes: number;
  /** Keys, values and other results that live from step to step. */
  readonly heldBytes: number;
  readonly totalBytes: number;
}

/** Other generations that run at the same time come on top. */
export function estimateMemory(models: PipelineModels, request: PlanRequest): MemoryEstimate {
  const {programs, held} = planGeneration(models, request);
  const heldBytes = held.reduce((sum, type) => sum + bytesOf(type), 0);
  const baselineBytes = process.memoryUsage.rss();
  const arenaNow = memoryUsage().arenaBytes;
  const moments = momentsOf(programs, models.engine.weights).map(({weightBytes, arenaBytes}) => {
    const newArenaBytes = Math.max(0, arenaBytes - arenaNow);
    const totalBytes = baselineBytes + weightBytes + newArenaBytes + heldBytes;
    return {baselineBytes, weightBytes, arenaBytes, heldBytes, totalBytes};
  });
  return moments.reduce((most, moment) => (moment.totalBytes > most.totalBytes ? moment : most));
}

type Moment = Pick<MemoryEstimate, 'weightBytes' | 'arenaBytes'>;

/** What weights and activations take while each program runs, on top of what is prepared now. */
function momentsOf(programs: readonly FunctionPlan[], weights: PreparedWeights): Moment[] {
  const costs = new Map<string, Moment>();
  for (const recipe of programs.flatMap(({recipes}) => recipes)) {
    if (weights.has(recipe) || costs.has(recipe.key)) continue;
    const {bytes, arenaBytes} = weights.plan(recipe);
    costs.set(recipe.key, {weightBytes: bytes, arenaBytes});
  }
  // The arena grows to what the largest program needs; with a group's weights it is given back.
  let grown = 0;
  return programs.map(({program, recipes, group}, index) => {
    const cooking = recipes.map(({key}) => costs.get(key)?.arenaBytes ?? 0);
    const arenaBytes = Math.max(grown, program.peakBytes, ...cooking);
    grown = stays(group, programs.slice(index + 1)) ? arenaBytes : 0;
    const resident = new Set(residentKeys(programs, index));
    const weightBytes = [...resident].reduce((sum, key) => sum + (costs.get(key)?.weightBytes ?? 0), 0);
    return {weightBytes, arenaBytes};
  });
}

/** Keys of the weights that are there while program `index` runs: a group's stay from its first to its last program. */
function residentKeys(programs: readonly FunctionPlan[], index: number): string[] {
  const [sofar, later] = [programs.slice(0, index + 1), programs.slice(index)];
  return sofar.filter(({group}) => stays(group, later)).flatMap(({recipes}) => recipes.map(({key}) => key));
}

/** Whether a group's weights are there until or while one of these programs runs. */
function stays(group: WeightGroup, programs: readonly FunctionPlan[]): boolean {
  return group.isKept || programs.some(other => other.group === group);
}

function bytesOf({shape, dtype}: TensorType): number {
  return sizeOf(shape) * dtypeBytes[dtype];
}
