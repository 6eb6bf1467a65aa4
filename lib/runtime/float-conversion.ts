/**
 * The 16-bit forms of floats: IEEE 754 binary16 ("float16") and the upper half of a float32 ("bfloat16").
 * Rounding is to nearest, ties to even; NaN stays NaN.
 */

/** Exact, as every bfloat16 is a float32. */
export function bfloat16ToFloat32(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return new Float32Array(words.buffer);
}

export function float32ToBFloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = words[i]!;
    const upper = word >>> 16;
    const isNan = (word & 0x7fffffff) > 0x7f800000;
    // A NaN whose payload lies in the lower half alone would become infinite.
    const nan = (upper & 0x7f) === 0 ? upper | 0x40 : upper;
    bits[i] = isNan ? nan : (word + 0x7fff + (upper & 1)) >>> 16;
  }
  return bits;
}

/** Exact, as every float16 is a float32. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, half => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    return sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
}

/** Values beyond ±65504 round to infinity as in IEEE 754. */
export function float32ToFloat16(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, float16Bits);
}

function float16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  // Below 2^-14 steps stay 2^-24 wide: the subnormal numbers.
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const step = 2 ** (Math.max(exponent, -14) - 10);
  const steps = roundHalfEven(magnitude / step);
  // 1024 steps or more have the leading bit, which an exponent of at least 1 stands for.
  return sign | (steps + ((exponent + 14) << 10));
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest > 0.5 ? floor + 1 : floor;
  return floor % 2 === 0 ? floor : floor + 1;
}
