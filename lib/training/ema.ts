/**
 * Exponential moving average of the trained weights: float32 on the device, moved after each optimiser step.
 */
import type {CompiledFunction} from '../engine/compiled-function.ts';
import type {Engine} from '../engine/engine.ts';
import {binary, reshape} from '../graph/ops/index.ts';
import type {Tensor} from '../graph/tensor.ts';
import type {HostTensor} from '../pipelines/host-tensor.ts';
import {DeviceTensor} from '../runtime/device-tensor.ts';
import type {OptimizerState} from './adamw.ts';
import {type DeviceTensors, disposeAll, disposeReplaced, readAll, uploadAll} from './device-tensors.ts';
import {weightOf} from './state-gradients.ts';
import type {NamedTensors} from './trainable-weights.ts';

export interface EmaOptions {
  /** Share of the average that a step leaves, within [0, 1): 0.9999, say. The first steps leave less. */
  readonly decay: number;
}

type UpdateInputs = {
  readonly averages: NamedTensors;
  /** Optimiser states [3, ...] of the same names. */
  readonly state: NamedTensors;
  /** [1]: what the average gives up, 1 - decay. */
  readonly rate: Tensor;
};

/**
 * The share of the average that its n-th update leaves, n from 1: 0 at the first, then min(decay, n / (9 + n)), so that
 * the weights of the beginning are soon forgotten. It is that of diffusers' `EMAModel` with its defaults.
 */
export function emaDecayAt(update: number, decay: number): number {
  return update <= 1 ? 0 : Math.min(decay, update / (9 + update));
}

export class ExponentialMovingAverage {
  readonly #engine: Engine;
  readonly #decay: number;
  readonly #update: CompiledFunction<UpdateInputs, NamedTensors>;
  #averages: DeviceTensors;
  #updates: number;

  /** Begins with these weights, or goes on from averages after so many updates. */
  constructor(engine: Engine, averages: ReadonlyMap<string, HostTensor>, {decay}: EmaOptions, updates = 0) {
    this.#engine = engine;
    this.#decay = decay;
    this.#updates = updates;
    this.#averages = uploadAll(engine.device, averages);
    this.#update = engine.compile('ema', updateAverages, {donates: ['averages']});
  }

  /** Updates so far. */
  get updates(): number {
    return this.#updates;
  }

  /** Moves each average towards its weight. */
  async update(state: OptimizerState): Promise<void> {
    const count = this.#updates + 1;
    const rate = DeviceTensor.from(
      this.#engine.device,
      Float32Array.of(1 - emaDecayAt(count, this.#decay)),
      [1],
    );
    try {
      const before = this.#averages;
      this.#averages = await this.#update.run({averages: before, state, rate});
      disposeReplaced(before, this.#averages);
      this.#updates = count;
    } finally {
      rate.dispose();
    }
  }

  /** The averages as they are now. */
  weights(): Promise<Map<string, HostTensor>> {
    return readAll(this.#averages);
  }

  dispose(): void {
    disposeAll(this.#averages);
    this.#averages = {};
  }
}

/** average - rate · (average - weight), in this order, as diffusers has it. */
function updateAverages({averages, state, rate}: UpdateInputs): NamedTensors {
  return Object.fromEntries(
    Object.entries(averages).map(([name, average]) => {
      const difference = binary({a: average, b: weightOf(`ema.${name}`, state[name]!)}, {kind: 'subtract'});
      const factor = reshape({x: rate}, {shape: average.shape.map(() => 1)});
      const change = binary({a: difference, b: factor}, {kind: 'multiply'});
      return [name, binary({a: average, b: change}, {kind: 'subtract'})];
    }),
  );
}
