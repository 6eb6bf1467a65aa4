import {z} from 'zod';
import {LambdaScheduler, lambdaFields} from './lambda-scheduler.ts';
import {linearCombination} from './linear-combination.ts';
import type {NoiseSource} from './scheduler.ts';
import {absent, only, parseConfig, type SchedulerConfig} from './scheduler-config.ts';
import {roundHalfEven} from './timestep-spacing.ts';

const schema = z.object({
  ...lambdaFields,
  algorithmType: z.enum(['dpmsolver++', 'sde-dpmsolver++']).default('dpmsolver++'),
  /** The names after `midpoint` are other schedulers' solvers; diffusers takes them for `midpoint`. */
  solverType: z.enum(['midpoint', 'logrho', 'bh1', 'bh2']).default('midpoint'),
  lowerOrderFinal: z.boolean().default(true),
  eulerAtFinal: z.boolean().default(false),
  useLuLambdas: only(false),
  /** No JSON knows minus infinity, which `parseSchedulerConfig` makes a string. */
  lambdaMinClipped: z.literal([Number.NEGATIVE_INFINITY, '-Infinity']).optional(),
  /** Set for models that predict variances too. */
  varianceType: absent,
});

/** Lower-order last steps are for short schedules (`lowerOrderFinal`). */
const shortScheduleSteps = 15;

/**
 * Lu et al. 2022, "DPM-Solver++", algorithm 2 (2M, midpoint), or its stochastic form SDE-DPM-Solver++(2M),
 * which draws noise in every step, in the last one with weight 0, as diffusers does.
 */
export class DPMSolverMultistepScheduler extends LambdaScheduler {
  readonly #config: z.output<typeof schema>;
  #originalBefore: Float32Array | undefined;

  constructor(config: SchedulerConfig = {}) {
    const settings = parseConfig('DPMSolverMultistepScheduler', schema, config);
    super(settings);
    this.#config = settings;
  }

  protected override forget(): void {
    this.#originalBefore = undefined;
  }

  protected override roundKarrasTimestep(timestep: number): number {
    return this.#config.betaSchedule === 'squaredcos_cap_v2' ? Math.trunc(timestep) : roundHalfEven(timestep);
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
    noise: NoiseSource,
  ): Float32Array {
    const original = this.predictOriginal(modelOutput, stepIndex, sample);
    const before = this.#isFirstOrderLastStep(stepIndex) ? undefined : this.#originalBefore;
    const target = this.extrapolate(stepIndex, original, before);
    this.#originalBefore = original;
    return this.#config.algorithmType === 'dpmsolver++'
      ? linearCombination(...this.exactTerms(stepIndex, sample, target))
      : this.#stochasticStep(stepIndex, sample, target, noise());
  }

  /**
   * SDE-DPM-Solver++: the step of twice the length in lambda, and noise to come back to the next sample's
   * level.
   */
  #stochasticStep(
    stepIndex: number,
    sample: Float32Array,
    target: Float32Array,
    noise: Float32Array,
  ): Float32Array {
    const {sigma} = this.noiseLevel(stepIndex);
    const next = this.noiseLevel(stepIndex + 1);
    const h = this.lambda(stepIndex + 1) - this.lambda(stepIndex);
    const noiseShare = -Math.expm1(-2 * h);
    return linearCombination(
      [(next.sigma / sigma) * Math.exp(-h), sample],
      [next.alpha * noiseShare, target],
      [next.sigma * Math.sqrt(noiseShare), noise],
    );
  }

  #isFirstOrderLastStep(stepIndex: number): boolean {
    const {eulerAtFinal, lowerOrderFinal, finalSigmasType} = this.#config;
    const isLast = stepIndex === this.timesteps.length - 1;
    const isShort = this.timesteps.length < shortScheduleSteps;
    return isLast && (eulerAtFinal || (lowerOrderFinal && isShort) || finalSigmasType === 'zero');
  }
}
