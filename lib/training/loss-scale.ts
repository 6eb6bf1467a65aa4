/**
 * Loss scaling for float16 (Micikevicius et al. 2018, Mixed Precision Training, §3.2): gradients are computed of a multiple
 * of the loss, so that small ones are not lost among float16's smallest numbers, and divided by it before they are used.
 */

/** All that a scale needs to go on where another stood. */
export interface LossScaleState {
  readonly value: number;
  /** Steps since it last changed. */
  readonly steps: number;
}

/** Numbers of PyTorch's `GradScaler`. */
const initialValue = 2 ** 16;
const growthInterval = 2000;
const largest = 2 ** 24;

/** Doubles after so many steps without an overflow, is halved by each: always a power of two, by which nothing is rounded. */
export class LossScale {
  #value: number;
  #steps: number;

  constructor({value, steps}: LossScaleState = {value: initialValue, steps: 0}) {
    this.#value = value;
    this.#steps = steps;
  }

  get state(): LossScaleState {
    return {value: this.#value, steps: this.#steps};
  }

  /** @param fits whether the step's loss and gradients were finite */
  update(fits: boolean): void {
    if (!fits) {
      this.#value /= 2;
      this.#steps = 0;
    } else if (++this.#steps === growthInterval) {
      this.#value = Math.min(largest, 2 * this.#value);
      this.#steps = 0;
    }
  }
}
