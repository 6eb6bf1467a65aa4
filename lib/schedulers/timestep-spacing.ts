import {ArgumentError} from '../errors.ts';

/** How inference timesteps are laid over training timesteps (Lin et al. 2023, table 2). */
export const timestepSpacings = ['leading', 'linspace', 'trailing'] as const;
export type TimestepSpacing = (typeof timestepSpacings)[number];

export interface TimestepSpacingConfig {
  readonly timestepSpacing: TimestepSpacing;
  readonly numTrainTimesteps: number;
  /** Added to each timestep of the `leading` spacing; Stable Diffusion 1 has 1. */
  readonly stepsOffset: number;
}

/**
 * `count` timesteps from high to low.
 * @param round makes fractions, which `linspace` gives, what the scheduler takes.
 * @throws ArgumentError if the timesteps would leave the training range or repeat, as happens near as many
 *   inference as training steps. (diffusers reads past the end of its tables, or divides by zero, in these
 *   cases. For some counts, such as 61, its `trailing` spacing has one timestep too many, -1; here it never
 *   has.)
 */
export function spaceTimesteps(
  config: TimestepSpacingConfig,
  count: number,
  round: (timestep: number) => number,
): number[] {
  const {timestepSpacing, numTrainTimesteps, stepsOffset} = config;
  const timesteps = Array.from({length: count}, (_, i) => round(spacedTimestep(config, count, i)));
  const repeats = timesteps.some((timestep, i) => i > 0 && timestep >= timesteps[i - 1]!);
  if (repeats || timesteps[0]! > numTrainTimesteps - 1) {
    throw new ArgumentError(
      `setTimesteps: expected few enough steps to give each its own timestep below ${numTrainTimesteps}; ` +
        `got ${count} with timestepSpacing '${timestepSpacing}' and stepsOffset ${stepsOffset}. ` +
        'Ask for fewer steps.',
    );
  }
  return timesteps;
}

function spacedTimestep(config: TimestepSpacingConfig, count: number, index: number): number {
  const {timestepSpacing, numTrainTimesteps, stepsOffset} = config;
  const stepsLeft = count - 1 - index;
  switch (timestepSpacing) {
    case 'leading':
      return stepsLeft * Math.floor(numTrainTimesteps / count) + stepsOffset;
    case 'linspace': {
      const last = numTrainTimesteps - 1;
      return count > 1 && index === 0 ? last : stepsLeft * (last / Math.max(count - 1, 1));
    }
    case 'trailing': {
      // NumPy's arange takes the step from its first two values; with the plain quotient some halves round
      // otherwise.
      const step = numTrainTimesteps - (numTrainTimesteps - numTrainTimesteps / count);
      return roundHalfEven(numTrainTimesteps - index * step) - 1;
    }
  }
}

/** Rounds to the nearest integer and halves to the even one, as NumPy and Python do. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
