import {z} from 'zod';
import {linearCombination} from './linear-combination.ts';
import {predictOriginalSample} from './prediction.ts';
import type {NoiseSource} from './scheduler.ts';
import {
  commonFields,
  linspaceByDefault,
  parseConfig,
  rescaleBetasZeroSnr,
  type SchedulerConfig,
} from './scheduler-config.ts';
import {SigmaScheduler} from './sigma-scheduler.ts';

const schema = z.object({
  ...commonFields,
  timestepSpacing: linspaceByDefault,
  rescaleBetasZeroSnr,
  predictionType: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
});

/**
 * Euler steps to less noise than the next sample has, and fresh noise to make up for it (k-diffusion's
 * `sample_euler_ancestral`). Draws noise in every step, in the last one with weight 0, as diffusers does.
 */
export class EulerAncestralDiscreteScheduler extends SigmaScheduler {
  constructor(config: SchedulerConfig = {}) {
    super(parseConfig('EulerAncestralDiscreteScheduler', schema, config));
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise: NoiseSource,
  ): Float32Array {
    const sigma = this.sigmas[stepIndex]!;
    const sigmaNext = this.sigmas[stepIndex + 1]!;
    const sigmaUp = (sigmaNext / sigma) * Math.sqrt(sigma ** 2 - sigmaNext ** 2);
    const sigmaDown = Math.sqrt(sigmaNext ** 2 - sigmaUp ** 2);

    const original = predictOriginalSample(this.predictionType, {alpha: 1, sigma}, modelOutput, sample);
    const ratio = sigmaDown / sigma;
    return linearCombination([ratio, sample], [1 - ratio, original], [sigmaUp, noise()]);
  }
}
