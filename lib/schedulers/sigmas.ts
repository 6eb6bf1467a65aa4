/**
 * Schedules in sigma, the ratio of noise to image in a sample (Karras et al. 2022). diffusers holds them in
 * float32, and works them out in float64.
 */

/** How a schedule ends: with a sample free of noise, or with the noise of the first training timestep. */
export const finalSigmasTypes = ['zero', 'sigma_min'] as const;
export type FinalSigmasType = (typeof finalSigmasTypes)[number];

/** The sigma of every training timestep. */
export function trainingSigmas(alphasCumprod: Float32Array): Float32Array {
  return alphasCumprod.map(alphaCumprod =>
    Math.sqrt(Math.fround(Math.fround(1 - alphaCumprod) / alphaCumprod)),
  );
}

/**
 * With rescaled betas the last timestep is pure noise and its sigma infinite. diffusers gives it a tiny share
 * of the image instead, the smallest float16; the array is changed in place.
 */
export function keepLastSigmaFinite(alphasCumprod: Float32Array): void {
  alphasCumprod[alphasCumprod.length - 1] = 2 ** -24;
}

/** Sigmas at the given, possibly fractional, timesteps by linear interpolation. */
export function interpolateSigmas(timesteps: readonly number[], sigmas: Float32Array): number[] {
  return timesteps.map(timestep => {
    const low = Math.min(Math.floor(timestep), sigmas.length - 2);
    return sigmas[low]! + (timestep - low) * (sigmas[low + 1]! - sigmas[low]!);
  });
}

/** `count` sigmas from `sigmaMax` down to `sigmaMin` (Karras et al. 2022, equation 5, rho 7). */
export function karrasSigmas(sigmaMax: number, sigmaMin: number, count: number): number[] {
  const rho = 7;
  const start = sigmaMax ** (1 / rho);
  const end = sigmaMin ** (1 / rho);
  return Array.from({length: count}, (_, i) => (start + (i / (count - 1 || 1)) * (end - start)) ** rho);
}

/**
 * The fractional timesteps at which training has the given sigmas, by interpolation between their logarithms.
 */
export function sigmasToTimesteps(sigmas: readonly number[], trainSigmas: Float32Array): number[] {
  const logSigmas = trainSigmas.map(Math.log);
  return sigmas.map(sigma => {
    const logSigma = Math.log(Math.max(sigma, 1e-10));
    const above = logSigmas.findIndex(value => value > logSigma);
    const low = Math.min(above < 0 ? Number.POSITIVE_INFINITY : Math.max(above - 1, 0), logSigmas.length - 2);
    const lowLog = logSigmas[low]!;
    const share = (lowLog - logSigma) / Math.fround(lowLog - logSigmas[low + 1]!);
    const weight = Math.min(Math.max(share, 0), 1);
    return (1 - weight) * low + weight * (low + 1);
  });
}

/** `sigmas` and the end that `finalSigmasType` asks for, in float32. */
export function withFinalSigma(
  sigmas: readonly number[],
  finalSigmasType: FinalSigmasType,
  trainSigmas: Float32Array,
): Float32Array {
  return Float32Array.from([...sigmas, finalSigmasType === 'zero' ? 0 : trainSigmas[0]!]);
}
