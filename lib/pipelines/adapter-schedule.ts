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
  const scalesOfRow = rows.map(({tokens, sample}): ((scales: readonly number[]) => readonly number[]) => {
    if (tokens[place] === undefined) return () => layers.map(() => 0);
    const instruction = samples[sample]!.conditions[place]?.instruction;
    return scales => (autoScale ? autoScaled(scales, instruction) : scales);
  });
  const atStep = (step: number) => {
    const value = typeof scale === 'function' ? scale(step, totalSteps) : scale;
    const scales = scalesPerLayer(value, layers);
    const byRow = scalesOfRow.map(ofRow => ofRow(scales));
    return layers.map((_, layer) => byRow.map(row => row[layer]!));
  };
  const constant = typeof scale === 'function' ? undefined : atStep(0);
  return step => {
    if (!isActive(step, totalSteps, {start, end})) return undefined;
    const scales = constant ?? atStep(step);
    return scales.some(layer => layer.some(value => value !== 0)) ? scales : undefined;
  };
}

/**
 * The largest weight becomes what the released code, which has one weight, makes of it; the others keep their share of it. A
 * small weight of a preset would otherwise become negative.
 */
function autoScaled(scales: readonly number[], instruction: string | undefined): readonly number[] {
  const given = scales.filter(scale => scale !== 0);
  if (given.length === 0) return scales;
  const largest = Math.max(...given);
  const resolved = resolveAdapterScale(largest, instruction);
  return scales.map(scale => (scale === largest ? resolved : scale * (resolved / largest)));
}
