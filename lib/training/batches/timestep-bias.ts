/**
 * Which timesteps training draws: all alike, or those of a range more often than others, as diffusers' training scripts do
 * by their `timestep_bias` arguments of the strategy `range`.
 */
import {z} from 'zod';
import {ArgumentError} from '../../errors.ts';

export const timestepBias = z
  .strictObject({
    /** The first timestep of the range. */
    begin: z.int().nonnegative(),
    /** The one after its last. */
    end: z.int().positive(),
    /** How many times as often as others those of the range are drawn. */
    multiplier: z.number().positive(),
  })
  .refine(({begin, end}) => begin < end, 'expected begin to be less than end');

export type TimestepBias = z.output<typeof timestepBias>;

/**
 * The timestep that a uniform number in [0, 1) stands for.
 *
 * @throws ArgumentError where the range ends after the last timestep
 */
export function timestepAt(
  uniform: number,
  numTrainTimesteps: number,
  bias: TimestepBias = {begin: 0, end: numTrainTimesteps, multiplier: 1},
): number {
  const {begin, end, multiplier} = bias;
  if (end > numTrainTimesteps) {
    throw new ArgumentError(
      `timestepBias: expected a range that ends at ${numTrainTimesteps}, the number of timesteps, or before, got ${end}.`,
    );
  }
  const surplus = (multiplier - 1) * (end - begin);
  const place = uniform * (numTrainTimesteps + surplus);
  if (place < begin) return Math.floor(place);
  const within = begin + (place - begin) / multiplier;
  return Math.floor(within < end ? within : place - surplus);
}
