// Vector mathematics: exp and the activations, in float32, a few units in the last place from exact.
// NaN goes through; infinities and out-of-range values give the limits that the real functions have.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

inline Vec abs(Vec x) {
  return max(x, Vec::zero() - x);
}

// c[0] + c[1]·x + ... + c[N-1]·x^(N-1), by Horner's rule.
template <int N>
inline Vec polynomial(Vec x, const float (&c)[N]) {
  Vec result = Vec::broadcast(c[N - 1]);
  for (int i = N - 2; i >= 0; --i) result = fma(result, x, Vec::broadcast(c[i]));
  return result;
}

// x · 2^n for integral n in [-200, 200]; under- and overflow as in IEEE arithmetic.
inline Vec scale_by_power_of_two(Vec x, Vec n) {
#if defined(__AVX512F__)
  return {_mm512_scalef_ps(x.v, n.v)};
#else
  // Two factors, because one alone would leave the exponent's range; max drops the NaN that comes with a NaN
  // x.
  const Vec safe = max(n, Vec::broadcast(-200));
  const Vec half = round(safe * Vec::broadcast(0.5f));
  return x * exp2_integral(half) * exp2_integral(safe - half);
#endif
}

// e^x: x = n·ln 2 + r with |r| <= ln 2 / 2, where e^r = 1 + r + r²·p(r). The polynomial and the split of ln 2
// are those of Moshier's Cephes library (expf). Below -104 the result is 0, above 88.73 it is infinite.
inline Vec exp(Vec x) {
  static constexpr float kPolynomial[] = {5.0000001201e-1f, 1.6666665459e-1f, 4.1665795894e-2f,
                                          8.3334519073e-3f, 1.3981999507e-3f, 1.9875691500e-4f};
  // The constants stand first: min and max return their second operand when either is NaN.
  const Vec clamped = min(Vec::broadcast(89), max(Vec::broadcast(-105), x));
  const Vec n = round(clamped * Vec::broadcast(1.44269504088896341f));
  Vec r = fma(n, Vec::broadcast(-0.693359375f), clamped);
  r = fma(n, Vec::broadcast(2.12194440e-4f), r);
  const Vec tail = fma(polynomial(r, kPolynomial), r * r, r);
  return scale_by_power_of_two(tail + Vec::broadcast(1), n);
}

// x / (1 + e^-x)
inline Vec silu(Vec x) {
  return x / (Vec::broadcast(1) + exp(Vec::zero() - x));
}

// x / (1 + e^(-1.702·x)), Hendrycks & Gimpel 2016 (GELU), section 2: what CLIP calls quick_gelu
inline Vec quick_gelu(Vec x) {
  return x / (Vec::broadcast(1) + exp(x * Vec::broadcast(-1.702f)));
}

// x·Φ(x) = x·(1 + erf(x/√2))/2, Hendrycks & Gimpel 2016, section 2.
//
// Written as max(x, 0) - |x|·erfc(|x|/√2)/2, so that the left tail does not cancel. With z = |x|,
// erfc(z/√2)/2 = e^(-z²/2)·P(z)/Q(z): the quotient is a rational minimax fit of erfcx(z/√2)/2 over [0, 13.5]
// with relative error 5e-9 (weighted least squares, reweighted to equal ripples). z stops at 13, where the
// product is 1e-37: beyond, subnormal numbers would slow every step down.
inline Vec gelu(Vec x) {
  static constexpr float kP[] = {0.5f, 0.436148077f, 0.181647018f, 0.0400984064f, 0.00403703377f};
  static constexpr float kQ[] = {1.0f, 1.67018116f, 1.19590151f, 0.465278298f, 0.100519001f, 0.0101192044f};
  const Vec z = min(abs(x), Vec::broadcast(13.0f));
  const Vec decay = exp(z * Vec::broadcast(-0.5f) * z);
  return max(Vec::zero(), x) - z * polynomial(z, kP) * decay / polynomial(z, kQ);
}

// The scalar form of a vector function: `on_lane<exp>(x)`.
template <Vec (*Function)(Vec)>
inline float on_lane(float x) {
  alignas(64) float lanes[Vec::kLanes];
  Function(Vec::broadcast(x)).store(lanes);
  return lanes[0];
}

}  // namespace ipai::IPAI_TARGET
