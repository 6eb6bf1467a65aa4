// Vector mathematics: powers of two and the activations, in float32. NaN goes through.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

inline constexpr double kLog2E = 1.44269504088896341;

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

// 2^x for x <= 127, with a relative error below 2e-7; 0 for -infinity and wherever the result would leave
// float32's normal numbers, or, with AVX-512, its subnormal ones too; NaN stays NaN. For results that bear
// the rounding of x itself: arguments of softmax, and activations.
//
// Floor: 5 multiply-adds, one per cycle with AVX-512 on Zen 4. Reached: 6 cycles for a vector.
//
// 2^x = 2^n · 2^f with x = n + f, |f| <= 1/2. The polynomial is a minimax fit of 2^f, relative error 9e-8.
inline Vec exp2(Vec x) {
  static constexpr float kPolynomial[] = {1.0f,          0.6931469776f,  0.2402224208f,
                                          0.0555073375f, 0.00967151272f, 0.00132647260f};
#if defined(__AVX512F__)
  constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
  const Vec f = {_mm512_reduce_ps(x.v, kNearest)};  // x - n; 0 for infinities
  return {_mm512_scalef_ps(polynomial(f, kPolynomial).v, _mm512_roundscale_ps(x.v, kNearest))};
#else
  // The constants stand first, because max returns its second operand when that is NaN. At n = -127 the bits
  // of the exponent, and with them the factor, are 0; there max drops the NaN that comes with a NaN x.
  const Vec clamped = max(Vec::broadcast(-127), x);
  const Vec n = round(clamped);
  return polynomial(clamped - n, kPolynomial) * exp2_integral(max(n, Vec::broadcast(-127)));
#endif
}

// a / b within 2 units in the last place, for b from 2^-126 to 2^126.
inline Vec quotient(Vec a, Vec b) {
#if defined(__AVX512F__)
  // An approximation to 14 bits and Newton's step take a third of the time of a division.
  const __m512 r = _mm512_rcp14_ps(b.v);
  const __m512 error = _mm512_fnmadd_ps(b.v, r, _mm512_set1_ps(1));
  return {_mm512_mul_ps(a.v, _mm512_fmadd_ps(r, error, r))};
#else
  return a / b;
#endif
}

// 1 + e^(-slope·x). The bound keeps it finite; beyond, its inverse is as good as 0.
inline Vec logistic_divisor(Vec x, float slope) {
  const Vec power = min(Vec::broadcast(126), x * Vec::broadcast(static_cast<float>(-kLog2E) * slope));
  return Vec::broadcast(1) + exp2(power);
}

// The derivative of x / (1 + e^(-slope·x)): with s = 1 / (1 + e^(-slope·x)) it is s + slope·x·s·(1 - s).
inline Vec logistic_gate_derivative(Vec x, float slope) {
  const Vec s = quotient(Vec::broadcast(1), logistic_divisor(x, slope));
  return fma(x * Vec::broadcast(slope), s * (Vec::broadcast(1) - s), s);
}

// x / (1 + e^-x)
inline Vec silu(Vec x) {
  return quotient(x, logistic_divisor(x, 1));
}
inline Vec silu_derivative(Vec x) {
  return logistic_gate_derivative(x, 1);
}

// x / (1 + e^(-1.702·x)), Hendrycks & Gimpel 2016 (GELU), section 2: what CLIP calls quick_gelu
inline constexpr float kQuickGeluSlope = 1.702f;
inline Vec quick_gelu(Vec x) {
  return quotient(x, logistic_divisor(x, kQuickGeluSlope));
}
inline Vec quick_gelu_derivative(Vec x) {
  return logistic_gate_derivative(x, kQuickGeluSlope);
}

// e^(-z²/2) and Φ(-z) = erfc(z/√2)/2 for z from 0 on.
//
// erfc(z/√2)/2 = e^(-z²/2)·P(z)/Q(z): the quotient is a rational minimax fit of erfcx(z/√2)/2 over [0, 13.5]
// with relative error 5e-9 (weighted least squares, reweighted to equal ripples). z stops at 12.5, where
// the probability is 4e-36: beyond, subnormal numbers would slow every step down.
struct NormalTail {
  explicit NormalTail(Vec distance)
      : z(min(distance, Vec::broadcast(12.5f))),
        decay(exp2(z * Vec::broadcast(static_cast<float>(-0.5 * kLog2E)) * z)),
        probability(decay * ratio(z)) {}

  Vec z, decay, probability;

 private:
  static Vec ratio(Vec z) {
    static constexpr float kP[] = {0.5f, 0.436148077f, 0.181647018f, 0.0400984064f, 0.00403703377f};
    static constexpr float kQ[] = {1.0f, 1.67018116f, 1.19590151f, 0.465278298f, 0.100519001f, 0.0101192044f};
    return quotient(polynomial(z, kP), polynomial(z, kQ));
  }
};

// x·Φ(x) = x·(1 + erf(x/√2))/2, Hendrycks & Gimpel 2016, section 2; written as max(x, 0) - |x|·Φ(-|x|), so
// that the left tail does not cancel.
inline Vec gelu(Vec x) {
  const NormalTail tail(abs(x));
  return max(Vec::zero(), x) - tail.z * tail.probability;
}

// Φ(x) + x·φ(x)
inline Vec gelu_derivative(Vec x) {
  const NormalTail tail(abs(x));
  // 1 from some hundred least units of x on, -1 on the other side: nearer to 0, Φ is 1/2 either way.
  const Vec sign = min(Vec::broadcast(1), max(Vec::broadcast(-1), x * Vec::broadcast(0x1p60f)));
  const Vec half = Vec::broadcast(0.5f);
  const Vec density = tail.decay * Vec::broadcast(0.398942280401f);  // 1/√(2π)
  return fma(x, density, fma(sign, half - tail.probability, half));
}

}  // namespace ipai::IPAI_TARGET
