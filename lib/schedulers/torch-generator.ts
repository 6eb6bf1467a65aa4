import {invalidArgument} from '../errors.ts';

const stateSize = 624;
const shiftSize = 397;

/** PyTorch fills arrays of at least this size in blocks of 16, and smaller ones number by number. */
const blockSize = 16;

const twoPi = Math.fround(2 * Math.PI);

/**
 * Gives the numbers of PyTorch's CPU generator: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998),
 * seeded with the low 32 bits of the seed, and the Box-Muller transform in the two orders that `torch.randn`
 * has.
 */
export class TorchGenerator {
  readonly #state = new Uint32Array(stateSize);
  #position = stateSize;
  /** The second number of a Box-Muller pair, kept for the next small array. */
  #spareNormal: number | undefined;

  /**
   * @param seed as for `torch.Generator().manual_seed`: an integer from 0 to 2^53 - 1, or a bigint below
   *   2^64.
   * @throws ArgumentError on any other seed.
   */
  constructor(seed: number | bigint) {
    const isSeed =
      typeof seed === 'bigint' ? seed >= 0n && seed < 1n << 64n : Number.isSafeInteger(seed) && seed >= 0;
    if (!isSeed) throw invalidArgument('seed', 'an integer from 0 to 2^53 - 1, or a bigint below 2^64', seed);
    const state = this.#state;
    state[0] = Number(BigInt.asUintN(32, BigInt(seed)));
    for (let i = 1; i < stateSize; i++) {
      const last = state[i - 1]!;
      state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  /**
   * Unit-normal numbers: what `torch.randn(shape, generator=generator)` gives in float32 on the CPU, to the
   * last bit or two (PyTorch's own last bits depend on the processor). Consecutive calls continue the
   * sequence as PyTorch's do.
   * @throws ArgumentError unless every dimension is a non-negative integer.
   */
  randn(shape: readonly number[]): Float32Array {
    const values = new Float32Array(checkedSize(shape));
    const size = values.length;
    if (size >= blockSize) this.#fillBlocks(values);
    else for (let i = 0; i < size; i++) values[i] = this.#normal();
    return values;
  }

  /**
   * Numbers in [0, 1): what `torch.rand(shape, generator=generator)` gives in float32 on the CPU.
   * @throws ArgumentError unless every dimension is a non-negative integer.
   */
  rand(shape: readonly number[]): Float32Array {
    const values = new Float32Array(checkedSize(shape));
    this.#fillUniform(values);
    return values;
  }

  /**
   * The numbers from 0 to `count` - 1 in random order: what `torch.randperm(count, generator=generator)` gives on the CPU.
   * @throws ArgumentError unless `count` is a non-negative integer below 2^32.
   */
  randperm(count: number): Uint32Array {
    if (!Number.isSafeInteger(count) || count < 0 || count >= 2 ** 32) {
      throw invalidArgument('count', 'a non-negative integer below 2^32', count);
    }
    const order = Uint32Array.from({length: count}, (_, i) => i);
    for (let i = 0; i < count - 1; i++) {
      const other = i + (this.#nextUint32() % (count - i));
      [order[i], order[other]] = [order[other]!, order[i]!];
    }
    return order;
  }

  /**
   * All uniforms first, then each block of 16 in place; a last, partial block is drawn anew, whole, from the
   * end.
   */
  #fillBlocks(values: Float32Array): void {
    this.#fillUniform(values);
    for (let start = 0; start + blockSize <= values.length; start += blockSize) transformBlock(values, start);
    if (values.length % blockSize === 0) return;
    const lastStart = values.length - blockSize;
    this.#fillUniform(values.subarray(lastStart));
    transformBlock(values, lastStart);
  }

  #normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    const angle = 2 * Math.PI * this.#uniformDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-this.#uniformDouble()));
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** In [0, 1), of 24 bits. Training draws thousands for a sample: the generator's state is in local variables meanwhile. */
  #fillUniform(values: Float32Array): void {
    const state = this.#state;
    let position = this.#position;
    for (let i = 0; i < values.length; i++) {
      if (position === stateSize) {
        twist(state);
        position = 0;
      }
      values[i] = (temper(state[position++]!) & 0xffffff) / 2 ** 24;
    }
    this.#position = position;
  }

  /** In [0, 1), of 53 bits. */
  #uniformDouble(): number {
    const high = this.#nextUint32() & 0x1fffff;
    return (high * 2 ** 32 + this.#nextUint32()) / 2 ** 53;
  }

  #nextUint32(): number {
    if (this.#position === stateSize) {
      twist(this.#state);
      this.#position = 0;
    }
    return temper(this.#state[this.#position++]!) >>> 0;
  }
}

/** The next numbers of a state, before they are tempered. */
function twist(state: Uint32Array): void {
  for (let i = 0; i < stateSize; i++) {
    const next = i + 1 < stateSize ? i + 1 : 0;
    const shifted = i + shiftSize < stateSize ? i + shiftSize : i + shiftSize - stateSize;
    const joined = (state[i]! & 0x80000000) | (state[next]! & 0x7fffffff);
    // No branch: half of them would be mispredicted.
    state[i] = state[shifted]! ^ (joined >>> 1) ^ (-(joined & 1) & 0x9908b0df);
  }
}

/** As a signed integer. */
function temper(number: number): number {
  let bits = number;
  bits ^= bits >>> 11;
  bits ^= (bits << 7) & 0x9d2c5680;
  bits ^= (bits << 15) & 0xefc60000;
  return bits ^ (bits >>> 18);
}

function checkedSize(shape: readonly number[]): number {
  const isShape = shape.every(dimension => Number.isSafeInteger(dimension) && dimension >= 0);
  if (!isShape) throw invalidArgument('shape', 'non-negative integers', `[${shape.join(', ')}]`);
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/**
 * Box-Muller with PyTorch's float32 roundings: of 16 uniforms the first eight give radii, the others angles.
 */
function transformBlock(values: Float32Array, start: number): void {
  for (let i = start; i < start + blockSize / 2; i++) {
    const radius = Math.fround(Math.sqrt(-2 * Math.fround(Math.log(1 - values[i]!))));
    const angle = Math.fround(twoPi * values[i + blockSize / 2]!);
    values[i] = radius * Math.cos(angle);
    values[i + blockSize / 2] = radius * Math.sin(angle);
  }
}
