import {z} from 'zod';
import {LambdaScheduler, lambdaFields} from './lambda-scheduler.ts';
import {linearCombination} from './linear-combination.ts';
import {absent, only, parseConfig, type SchedulerConfig} from './scheduler-config.ts';

const schema = z.object({
  ...lambdaFields,
  /** The names after `bh2` are other schedulers' solvers; diffusers takes them for `bh2`. */
  solverType: z.enum(['bh2', 'midpoint', 'heun', 'logrho']).default('bh2'),
  predictX0: only(true),
  lowerOrderFinal: only(true),
  disableCorrector: z.array(z.number()).max(0).optional(),
  solverP: absent,
  sigmaMin: absent,
  sigmaMax: absent,
  shiftTerminal: absent,
});

/** What the corrector needs of the step before. */
interface LastStep {
  readonly sample: Float32Array;
  readonly original: Float32Array;
  /** Predicted one step before that, where the last step was of second order. */
  readonly originalBefore: Float32Array | undefined;
}

/**
 * Zhao et al. 2023, "UniPC", order 2 with B2(h) = exp(h) - 1, predicting the original. Each step first
 * corrects the sample with the model output at its own timestep (algorithm 1), then predicts the next one
 * (algorithm 2), which for this order and B2 is the step of DPM-Solver++(2M).
 */
export class UniPCMultistepScheduler extends LambdaScheduler {
  #last: LastStep | undefined;

  constructor(config: SchedulerConfig = {}) {
    super(parseConfig('UniPCMultistepScheduler', schema, config));
  }

  protected override forget(): void {
    this.#last = undefined;
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
  ): Float32Array {
    const last = this.#last;
    const original = this.predictOriginal(modelOutput, stepIndex, sample);
    const corrected = last === undefined ? sample : this.#correct(stepIndex, original, last);

    const isLastStep = stepIndex === this.timesteps.length - 1;
    const originalBefore = isLastStep ? undefined : last?.original;
    this.#last = {sample: corrected, original, originalBefore};
    const target = this.extrapolate(stepIndex, original, originalBefore);
    return linearCombination(...this.exactTerms(stepIndex, corrected, target));
  }

  /**
   * The sample at `stepIndex` once more, from the last step's sample and what is now known to be predicted
   * here.
   */
  #correct(stepIndex: number, original: Float32Array, last: LastStep): Float32Array {
    const h = this.lambda(stepIndex) - this.lambda(stepIndex - 1);
    const b = Math.expm1(-h);
    const weight = -this.noiseLevel(stepIndex).alpha * b;
    const exact = this.exactTerms(stepIndex - 1, last.sample, last.original);
    if (last.originalBefore === undefined) {
      return linearCombination(...exact, [weight / 2, original], [-weight / 2, last.original]);
    }
    // The linear system of theorem 3.1 for p = 2: rho_1 + rho_2 = g_1, r rho_1 + rho_2 = g_2, with r the
    // (negative) place of the step before.
    const r = (this.lambda(stepIndex - 2) - this.lambda(stepIndex - 1)) / h;
    const phi2 = -b / h - 1;
    const phi3 = -phi2 / h - 1 / 2;
    const rho1 = (phi2 - 2 * phi3) / (b * (1 - r));
    const rho2 = phi2 / b - rho1;
    return linearCombination(
      ...exact,
      [(weight * rho1) / r, last.originalBefore],
      [weight * rho2, original],
      [-weight * (rho1 / r + rho2), last.original],
    );
  }
}
