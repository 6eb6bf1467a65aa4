/**
 * The adapter's weights over the steps of a run.
 */
import {ArgumentError} from '../errors.ts';
import type {CrossAttentionLayer} from '../models/unet.ts';
import {scalesPerLayer} from './adapter-scales.ts';
import {isActive} from './denoise.ts';
import {checkRange, type GenerateOptions} from './generate-options.ts';
import {resolveAdapterScale} from './guidance.ts';
import type {Row} from './rows.ts';
import type {Sample} from './samples.ts';

/** The paper lowers the trained scale by 20–40 % (§4.1): the middle. */
const defaultScale = 0.7;

/** By layer, then row; undefined in steps in which the adapter has no part. */
export type AdapterSchedule = (step: number) => readonly (readonly number[])[] | undefined;

/**
 * @param totalSteps of the run
 * @throws ArgumentError for scales and spans out of range
 */
export function adapterSchedule(
  options: GenerateOptions,
  samples: readonly Sample[],
  rows: readonly Row[],
  layers: readonly CrossAttentionLayer[],
  totalSteps: number,
): AdapterSchedule {
  const start = checkRange('ipAdapterStart', options.ipAdapterStart ?? 0, 0, 1);
  const end = checkRange('ipAdapterEnd', options.ipAdapterEnd ?? 1, 0, 1);
  if (start > end) {
    throw new ArgumentError(`ipAdapterStart: expected at most ipAdapterEnd (${end}) but received ${start}.`);
  }
  const {ipAdapterScale: scale = defaultScale, autoScale = true} = options;
  const rowFactors = rows.map(({tokens, sample}): ((value: number) => number) => {
    if (tokens === undefined) return () => 0;
    const {instruction} = samples[sample]!;
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
