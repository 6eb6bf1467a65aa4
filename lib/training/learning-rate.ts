/**
 * Learning rates over a run, as diffusers' `get_scheduler` names and defines them.
 */
import {invalidArgument} from '../errors.ts';

export const learningRateSchedules = ['constant', 'constant_with_warmup', 'linear', 'cosine'] as const;
export type LearningRateSchedule = (typeof learningRateSchedules)[number];

export interface LearningRateOptions {
  readonly learningRate: number;
  readonly schedule: LearningRateSchedule;
  /** Steps of linear rise from 0; `constant` has none. */
  readonly warmupSteps: number;
  /** Steps of the whole run, at whose end `linear` and `cosine` reach 0. */
  readonly totalSteps: number;
}

/**
 * The rate of a step, counted from 0.
 *
 * @throws ArgumentError unless the step is a non-negative integer
 */
export function learningRateAt(step: number, options: LearningRateOptions): number {
  if (!Number.isSafeInteger(step) || step < 0) throw invalidArgument('step', 'a non-negative integer', step);
  const {learningRate, schedule, warmupSteps, totalSteps} = options;
  if (schedule === 'constant') return learningRate;
  if (step < warmupSteps) return (learningRate * step) / warmupSteps;
  if (schedule === 'constant_with_warmup') return learningRate;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
  return learningRate * (schedule === 'linear' ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2);
}
