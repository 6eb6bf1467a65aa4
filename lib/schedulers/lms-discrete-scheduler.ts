import {z} from 'zod';
import {linearCombination, type Term} from './linear-combination.ts';
import {predictOriginalSample} from './prediction.ts';
import {
  commonFields,
  linspaceByDefault,
  only,
  parseConfig,
  type SchedulerConfig,
} from './scheduler-config.ts';
import {SigmaScheduler} from './sigma-scheduler.ts';

const schema = z.object({
  ...commonFields,
  timestepSpacing: linspaceByDefault,
  useKarrasSigmas: z.boolean().default(false),
  useExponentialSigmas: only(false),
  useBetaSigmas: only(false),
});

const maxOrder = 4;

/**
 * The linear multistep (Adams-Bashforth) method with uneven steps on the probability-flow equation, as
 * k-diffusion's `sample_lms`.
 *
 * Image to image: as in diffusers the order counts from the start of the schedule, though fewer derivatives
 * are known.
 */
export class LMSDiscreteScheduler extends SigmaScheduler {
  /** Up to four derivatives dx/dsigma, the latest first. */
  #derivatives: Float32Array[] = [];

  constructor(config: SchedulerConfig = {}) {
    super(parseConfig('LMSDiscreteScheduler', schema, config));
  }

  protected override forget(): void {
    this.#derivatives = [];
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
  ): Float32Array {
    const sigma = this.sigmas[stepIndex]!;
    const original = predictOriginalSample(this.predictionType, {alpha: 1, sigma}, modelOutput, sample);
    const derivative = linearCombination([1 / sigma, sample], [-1 / sigma, original]);
    this.#derivatives = [derivative, ...this.#derivatives].slice(0, maxOrder);

    const order = Math.min(stepIndex + 1, maxOrder);
    const nodes = Array.from({length: order}, (_, i) => this.sigmas[stepIndex - i]!);
    const steps = this.#derivatives.map(
      (past, i): Term => [integrateLagrange(nodes, i, sigma, this.sigmas[stepIndex + 1]!), past],
    );
    return linearCombination([1, sample], ...steps);
  }
}

/**
 * The integral over `from` … `to` of the Lagrange polynomial that is 1 at `nodes[index]` and 0 at the other
 * nodes. Gauss's rule with two points is exact for its degree, three at most.
 */
function integrateLagrange(nodes: readonly number[], index: number, from: number, to: number): number {
  const node = nodes[index]!;
  const others = nodes.filter((_, i) => i !== index);
  const polynomial = (x: number) =>
    others.reduce((product, other) => (product * (x - other)) / (node - other), 1);
  const middle = (from + to) / 2;
  const half = (to - from) / 2;
  const point = half / Math.sqrt(3);
  return half * (polynomial(middle - point) + polynomial(middle + point));
}
