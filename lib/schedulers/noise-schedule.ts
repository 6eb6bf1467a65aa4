import {ArgumentError} from '../errors.ts';

/** The noise that training adds at each timestep: betas, and the cumulative product of `1 - beta`. */

export const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2'] as const;

export interface NoiseScheduleConfig {
  readonly numTrainTimesteps: number;
  readonly betaStart: number;
  readonly betaEnd: number;
  readonly betaSchedule: (typeof betaSchedules)[number];
  /** Betas as numbers; they take the place of the three settings above. */
  readonly trainedBetas?: readonly number[] | undefined;
  /** Shifts the schedule so that the last timestep is pure noise. */
  readonly rescaleBetasZeroSnr?: boolean | undefined;
}

/**
 * The cumulative product of `1 - beta` for every training timestep. diffusers computes it with float32
 * tensors (PyTorch's cumulative product sums up in float64 and rounds each output), and small differences
 * grow in `1 - alphasCumprod` at the low-noise end: so each rounding is made here too.
 * @throws ArgumentError if `trainedBetas` are not as many as `numTrainTimesteps`.
 */
export function alphasCumprod(config: NoiseScheduleConfig): Float32Array {
  const betas = trainingBetas(config);
  return cumulativeProduct(
    (config.rescaleBetasZeroSnr ? rescaleZeroTerminalSnr(betas) : betas).map(b => 1 - b),
  );
}

function trainingBetas(config: NoiseScheduleConfig): Float32Array {
  const {numTrainTimesteps, betaStart, betaEnd, betaSchedule, trainedBetas} = config;
  if (trainedBetas) {
    if (trainedBetas.length === numTrainTimesteps) return Float32Array.from(trainedBetas);
    throw new ArgumentError(
      `scheduler config: expected as many trainedBetas as numTrainTimesteps (${numTrainTimesteps}); ` +
        `got ${trainedBetas.length}. Correct the scheduler config.`,
    );
  }
  switch (betaSchedule) {
    case 'linear':
      return float32Linspace(betaStart, betaEnd, numTrainTimesteps);
    case 'scaled_linear':
      return float32Linspace(Math.sqrt(betaStart), Math.sqrt(betaEnd), numTrainTimesteps).map(x => x * x);
    case 'squaredcos_cap_v2':
      return cosineBetas(numTrainTimesteps);
  }
}

/** `torch.linspace` in float32: counts from the nearer end, and rounds once, as fused multiply-add does. */
function float32Linspace(start: number, end: number, count: number): Float32Array {
  const first = Math.fround(start);
  const last = Math.fround(end);
  const step = Math.fround(Math.fround(last - first) / (count - 1));
  const half = Math.floor(count / 2);
  return Float32Array.from({length: count}, (_, i) =>
    i < half ? first + step * i : last - step * (count - 1 - i),
  );
}

/** Nichol and Dhariwal 2021, equation 17, each beta capped at 0.999. */
function cosineBetas(count: number): Float32Array {
  const alphaBar = (t: number) => Math.cos(((t + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  return Float32Array.from({length: count}, (_, i) =>
    Math.min(1 - alphaBar((i + 1) / count) / alphaBar(i / count), 0.999),
  );
}

/** Lin et al. 2023, "Common Diffusion Noise Schedules and Sample Steps are Flawed", algorithm 1. */
function rescaleZeroTerminalSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeProduct(betas.map(beta => 1 - beta)).map(Math.sqrt);
  const first = roots[0]!;
  const last = roots.at(-1)!;
  const scale = Math.fround(first / Math.fround(first - last));
  const alphaBars = roots.map(root => Math.fround(root - last) * scale).map(root => root ** 2);
  return alphaBars.map((alphaBar, i) => 1 - Math.fround(i === 0 ? alphaBar : alphaBar / alphaBars[i - 1]!));
}

function cumulativeProduct(factors: Float32Array): Float32Array {
  let product = 1;
  return factors.map(factor => {
    product *= factor;
    return product;
  });
}
