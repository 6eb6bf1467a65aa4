/**
 * The weights of conditions over the steps of a run.
 */
import type {CrossAttentionLayer} from '../models/unet.ts';
import {isActive} from './active-steps.ts';
import {scalesPerLayer} from './adapter-scales.ts';
import type {ConditionSlot} from './conditions.ts';
import {resolveAdapterScale} from './guidance.ts';
import type {Row} from './rows.ts';
import type {Sample} from './samples.ts';

/** By layer, then row; undefined in steps in which the condition has no part. */
export type AdapterSchedule = (step: number) => readonly (readonly number[])[] | undefined;

export interface ScheduledRun {
  readonly samples: readonly Sample[];
  readonly rows: readonly Row[];
  readonly layers: readonly CrossAttentionLayer[];
  readonly totalSteps: number;
  /** Whether compositions and poses count for less. */
  readonly autoScale: boolean;
}

/**
 * Of the condition at a place among the slots.
 *
 * @throws ArgumentError for scales out of range
 */
export function adapterSchedule(
  {scale, start, end}: ConditionSlot,
  place: number,
  {samples, rows, layers, totalSteps, autoScale}: ScheduledRun,
): AdapterSchedule {
  const rowFactors = rows.map(({tokens, sample}): ((value: number) => number) => {
    if (tokens[place] === undefined) return () => 0;
    const instruction = samples[sample]!.conditions[place]?.instruction;
    return value => (autoScale && value !== 0 ? resolveAdapterScale(value, instruction) : value);
  });
  const atStep = (step: number) => {
    const value = typeof scale === 'function' ? scale(step, totalSteps) : scale;
    return scalesPerLayer(value, layers).map(layer => rowFactors.map(factor => factor(layer)));
  };
  const constant = typeof scale === 'function' ? undefined : atStep(0);
  return step => {
    if (!isActive(step, totalSteps, {start, end})) return undefined;
    const scales = constant ?? atStep(step);
    return scales.some(layer => layer.some(value => value !== 0)) ? scales : undefined;
  };
}
