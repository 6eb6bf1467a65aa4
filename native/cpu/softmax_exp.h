// The exponential of a softmax, whose arguments are differences from a maximum, in base 2.
#pragma once

#include "cpu/math.h"

namespace ipai::IPAI_TARGET {

// The float whose exponent field is the low byte of x's bits, and whose fraction is 0.
inline Vec exponent_of_low_byte(Vec x) {
#if defined(__AVX512F__)
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x.v), 23))};
#elif defined(__AVX2__)
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x.v), 23))};
#else
  typedef uint32_t Bits __attribute__((vector_size(16)));
  return {reinterpret_cast<Vec::Lanes>(reinterpret_cast<Bits>(x.v) << 23)};
#endif
}

// 2^x for x <= 1, with a relative error below 2e-7; exactly 0 below -126.5, about where float32's normal
// numbers end, and for -infinity; NaN stays NaN.
//
// 2^x = 2^n · 2^f with x = n + f, |f| <= 1/2. Adding 1.5·2^23 + 127 rounds x to n and leaves n + 127, which is
// 2^n's exponent field, in the sum's low bits. The polynomial is a minimax fit of 2^f, relative error 9e-8.
inline Vec softmax_exp2(Vec x) {
  static constexpr float kPolynomial[] = {1.0f,          0.6931469776f,  0.2402224208f,
                                          0.0555073375f, 0.00967151272f, 0.00132647260f};
  const Vec shift = Vec::broadcast(12582912.0f + 127.0f);
  // The constant stands first, because max returns its second operand when that is NaN. At n = -127 the
  // exponent field, and with it the factor, is 0.
  const Vec clamped = max(Vec::broadcast(-127), x);
  const Vec shifted = clamped + shift;
  return polynomial(clamped - (shifted - shift), kPolynomial) * exponent_of_low_byte(shifted);
}

}  // namespace ipai::IPAI_TARGET
