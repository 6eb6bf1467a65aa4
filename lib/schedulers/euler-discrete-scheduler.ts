import {z} from 'zod';
import {linearCombination} from './linear-combination.ts';
import {predictOriginalSample} from './prediction.ts';
import {
  absent,
  commonFields,
  linspaceByDefault,
  only,
  parseConfig,
  rescaleBetasZeroSnr,
  type SchedulerConfig,
} from './scheduler-config.ts';
import {SigmaScheduler} from './sigma-scheduler.ts';
import {finalSigmasTypes} from './sigmas.ts';

const schema = z.object({
  ...commonFields,
  timestepSpacing: linspaceByDefault,
  rescaleBetasZeroSnr,
  useKarrasSigmas: z.boolean().default(false),
  useExponentialSigmas: only(false),
  useBetaSigmas: only(false),
  interpolationType: only('linear'),
  timestepType: only('discrete'),
  finalSigmasType: z.enum(finalSigmasTypes).default('zero'),
  sigmaMin: absent,
  sigmaMax: absent,
});

/** Karras et al. 2022, algorithm 2, without churn: Euler's method on the probability-flow equation. */
export class EulerDiscreteScheduler extends SigmaScheduler {
  constructor(config: SchedulerConfig = {}) {
    super(parseConfig('EulerDiscreteScheduler', schema, config));
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
  ): Float32Array {
    const sigma = this.sigmas[stepIndex]!;
    const original = predictOriginalSample(this.predictionType, {alpha: 1, sigma}, modelOutput, sample);
    // x + (x - x0) / sigma * (sigmaNext - sigma)
    const ratio = this.sigmas[stepIndex + 1]! / sigma;
    return linearCombination([ratio, sample], [1 - ratio, original]);
  }
}
