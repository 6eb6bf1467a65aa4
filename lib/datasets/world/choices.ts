import {TorchGenerator} from '../../schedulers/torch-generator.ts';

/** What a seed decides, one choice after the other. */
export class Choices {
  readonly #generator: TorchGenerator;

  /** @param seed of which the low 32 bits count */
  constructor(seed: number) {
    this.#generator = new TorchGenerator(seed);
  }

  /** In [low, high), to three decimals, which is how factors are kept. */
  between(low: number, high: number): number {
    const thousandths = Math.round(1000 * (low + (high - low) * this.#share()));
    // JSON knows no -0, and so adding 0 makes it 0.
    return thousandths / 1000 + 0;
  }

  /** An integer from 0 to `count` - 1. */
  below(count: number): number {
    return Math.floor(count * this.#share());
  }

  chance(probability: number): boolean {
    return this.#share() < probability;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** A key of a table. */
  pickName<T extends object>(table: T): keyof T {
    return this.pick(Object.keys(table) as (keyof T)[]);
  }

  #share(): number {
    return this.#generator.rand([1])[0]!;
  }
}
