/**
 * AdamW over named weights: float32 weights and moments on the device, a fused step for each. Matrices may be Muon's.
 */
import type {CompiledFunction} from '../engine/compiled-function.ts';
import type {Engine} from '../engine/engine.ts';
import {ArgumentError, NumericError} from '../errors.ts';
import {adamw} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import {type DeviceTensors, disposeAll, disposeReplaced, readAll} from './device-tensors.ts';
import {isHiddenMatrix, muonStep} from './muon.ts';
import {weightsOf} from './optimizer-state.ts';

/** Names and defaults of PyTorch's AdamW. */
export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
  /** Where given, matrices within the network are moved by Muon, and AdamW moves the rest. */
  readonly muon?: {readonly momentum: number} | undefined;
}

type ResolvedOptions = Required<Omit<AdamWOptions, 'muon'>> & Pick<AdamWOptions, 'muon'>;

export interface AdamWStep {
  readonly learningRate: number;
  /** Factor for the gradients: of clipping, or of a mean over accumulated ones. Default 1. */
  readonly factor?: number;
}

/** Each weight with the means of its gradients and of their squares: float32 [3, ...shape]. */
export type OptimizerState = DeviceTensors;

type StepInputs = {
  readonly state: Readonly<Record<string, Tensor>>;
  readonly gradients: Readonly<Record<string, Tensor>>;
  readonly step: Tensor;
};

export class AdamW {
  readonly #engine: Engine;
  readonly #options: ResolvedOptions;
  readonly #step: CompiledFunction<StepInputs, Readonly<Record<string, Tensor>>>;
  #state: OptimizerState;
  #steps: number;

  private constructor(engine: Engine, options: ResolvedOptions, state: OptimizerState, steps: number) {
    this.#engine = engine;
    this.#options = options;
    this.#state = state;
    this.#steps = steps;
    const {beta1, beta2, epsilon, weightDecay, muon} = options;
    const attributes = {beta1, beta2, epsilon, weight_decay: weightDecay};
    const next = ({state: weights, gradients, step}: StepInputs) =>
      Object.fromEntries(
        Object.entries(weights).map(([name, weight]) => {
          const inputs = {state: weight, gradient: gradients[name]!, step};
          const isMuons = muon !== undefined && isHiddenMatrix(name, weight.shape.slice(1));
          return [name, isMuons ? muonStep(inputs, {...muon, weightDecay}) : adamw(inputs, attributes)];
        }),
      );
    this.#step = engine.compile('adamw', next, {donates: ['state']});
  }

  /** Begins with these weights and moments of 0. */
  static begin(engine: Engine, weights: ReadonlyMap<string, HostTensor>, options: AdamWOptions = {}): AdamW {
    const state: Record<string, HostTensor> = {};
    for (const [name, {shape, data}] of weights) {
      const joined = new Float32Array(3 * data.length);
      joined.set(data);
      state[name] = {shape: [3, ...shape], data: joined};
    }
    return AdamW.resume(engine, new Map(Object.entries(state)), 0, options);
  }

  /**
   * Goes on from a state that {@link saved} gave, after so many steps.
   *
   * @throws ArgumentError where a tensor is no state
   */
  static resume(
    engine: Engine,
    state: ReadonlyMap<string, HostTensor>,
    steps: number,
    options: AdamWOptions = {},
  ): AdamW {
    const uploaded: Record<string, DeviceTensor> = {};
    for (const [name, {shape, data}] of state) {
      if (shape[0] !== 3) {
        throw new ArgumentError(
          `${name}: expected an optimiser state [3, ...], got [${shape.join(', ')}]. Is it a weight?`,
        );
      }
      uploaded[name] = DeviceTensor.from(engine.device, data, shape);
    }
    const {beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01, muon} = options;
    return new AdamW(engine, {beta1, beta2, epsilon, weightDecay, muon}, uploaded, steps);
  }

  /** As inputs of a traced function; a step replaces them, or what is in them. */
  get state(): OptimizerState {
    return this.#state;
  }

  /** Steps taken. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Moves each weight by its gradient, float32 of the weight's shape. After an error there is no state.
   *
   * @throws NumericError for a rate or factor that is not finite
   */
  async step(
    gradients: Readonly<Record<string, DeviceTensor>>,
    {learningRate, factor = 1}: AdamWStep,
  ): Promise<void> {
    if (!Number.isFinite(learningRate) || !Number.isFinite(factor)) {
      throw new NumericError(
        `AdamW: expected a finite learning rate and factor, got ${learningRate} and ${factor}. ` +
          'Skip the step where the gradients overflow.',
      );
    }
    const {beta1, beta2} = this.#options;
    const count = this.#steps + 1;
    const numbers = Float32Array.of(learningRate, 1 - beta1 ** count, 1 - beta2 ** count, factor);
    const step = DeviceTensor.from(this.#engine.device, numbers, [numbers.length]);
    try {
      const before = this.#state;
      this.#state = await this.#step.run({state: before, gradients, step});
      this.#steps = count;
      disposeReplaced(before, this.#state);
    } finally {
      step.dispose();
    }
  }

  /** The weights as they are now. */
  async weights(): Promise<Map<string, HostTensor>> {
    return weightsOf(await this.saved());
  }

  /** All that {@link resume} needs beside the number of steps. */
  saved(): Promise<Map<string, HostTensor>> {
    return readAll(this.#state);
  }

  dispose(): void {
    disposeAll(this.#state);
    this.#state = {};
  }
}
