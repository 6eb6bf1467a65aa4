import {z} from 'zod';
import {AlphaScheduler} from './alpha-scheduler.ts';
import {linearCombination, type Term} from './linear-combination.ts';
import {noiseLevelOf, predictNoise} from './prediction.ts';
import {commonFields, leadingByDefault, parseConfig, type SchedulerConfig} from './scheduler-config.ts';
import {roundHalfEven, spaceTimesteps} from './timestep-spacing.ts';

const schema = z.object({
  ...commonFields,
  timestepSpacing: leadingByDefault,
  predictionType: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  setAlphaToOne: z.boolean().default(false),
  /** Only the linear multistep part is here, as Stable Diffusion uses it; diffusers' own default is false. */
  skipPrkSteps: z.literal(true),
});

/** Adams-Bashforth weights of the latest output and those before it, by how many there are. */
const adamsBashforth = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
] as const;

/**
 * Liu et al. 2022, "Pseudo Numerical Methods for Diffusion Models on Manifolds", without Runge-Kutta steps.
 * The second step repeats the first with the mean of two outputs, which is why the second timestep is visited
 * twice.
 */
export class PNDMScheduler extends AlphaScheduler {
  readonly #config: z.output<typeof schema>;
  #stepsTaken = 0;
  /** Up to four model outputs, the latest first. */
  #outputs: Float32Array[] = [];
  #firstSample: Float32Array | undefined;

  constructor(config: SchedulerConfig = {}) {
    const settings = parseConfig('PNDMScheduler', schema, config);
    super(settings, settings.setAlphaToOne);
    this.#config = settings;
  }

  protected override placeTimesteps(numInferenceSteps: number): number[] {
    const timesteps = spaceTimesteps(this.#config, numInferenceSteps, roundHalfEven);
    return [...timesteps.slice(0, 2), ...timesteps.slice(1)];
  }

  protected override forget(): void {
    this.#stepsTaken = 0;
    this.#outputs = [];
    this.#firstSample = undefined;
  }

  protected override advance(
    modelOutput: Float32Array,
    stepIndex: number,
    sample: Float32Array,
  ): Float32Array {
    const timestep = this.timesteps[stepIndex]!;
    const isRepeat = this.#stepsTaken++ === 1;
    if (isRepeat) {
      const mean = linearCombination([1 / 2, modelOutput], [1 / 2, this.#outputs[0]!]);
      return this.#transfer(this.#firstSample!, timestep + this.stepRatio, timestep, mean);
    }
    this.#firstSample ??= sample;
    this.#outputs = [modelOutput, ...this.#outputs].slice(0, adamsBashforth.length);
    const weights = adamsBashforth[this.#outputs.length - 1]!;
    const [latest, ...earlier] = this.#outputs.map((output, i): Term => [weights[i]!, output]);
    return this.#transfer(
      sample,
      timestep,
      timestep - this.stepRatio,
      linearCombination(latest!, ...earlier),
    );
  }

  /** Equation 9: the sample at `timestep` to that at `timestepPrev`. */
  #transfer(
    sample: Float32Array,
    timestep: number,
    timestepPrev: number,
    modelOutput: Float32Array,
  ): Float32Array {
    const alpha = this.alphaCumprodAt(timestep);
    const alphaPrev = this.alphaCumprodAt(timestepPrev);
    const predictedNoise = predictNoise(this.predictionType, noiseLevelOf(alpha), modelOutput, sample);
    const denominator = alpha * Math.sqrt(1 - alphaPrev) + Math.sqrt(alpha * (1 - alpha) * alphaPrev);
    return linearCombination(
      [Math.sqrt(alphaPrev / alpha), sample],
      [-(alphaPrev - alpha) / denominator, predictedNoise],
    );
  }
}
