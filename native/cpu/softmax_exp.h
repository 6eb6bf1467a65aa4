// The exponential of a softmax, whose arguments are differences from a maximum.
#pragma once

#include "cpu/math.h"

namespace ipai::IPAI_TARGET {

// e^x for x <= 0, with a relative error below 2e-7 + 8e-8·|x|; exactly 0 below -87.7, where float32's normal
// numbers end, and for -infinity; NaN stays NaN. Cheaper than `exp`, because less can come.
//
// e^x = 2^n · 2^f with x·log2(e) = n + f, |f| <= 1/2. The polynomial is a minimax fit of 2^f, relative error
// 9e-8.
inline Vec softmax_exp(Vec x) {
  static constexpr float kPolynomial[] = {1.0f,          0.6931469776f,  0.2402224208f,
                                          0.0555073375f, 0.00967151272f, 0.00132647260f};
  const Vec log2_e = Vec::broadcast(1.44269504088896341f);
  // The constant stands first, because max returns its second operand when that is NaN.
  const Vec clamped = max(Vec::broadcast(-88), x);
  const Vec n = round(clamped * log2_e);
  const Vec power = polynomial(fma(clamped, log2_e, Vec::zero() - n), kPolynomial);
  // At n = -127 the bits of the exponent, and with them the factor, are 0. Here max drops the NaN that comes
  // with a NaN x.
  return power * exp2_integral(max(n, Vec::broadcast(-127)));
}

}  // namespace ipai::IPAI_TARGET
