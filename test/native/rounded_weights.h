// What attention may be off where its weights are rounded before they are multiplied.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "op_harness.h"

namespace ipai::test {

// How far a weight is rounded, relative to it. Targets with dot products of bfloat16 round weights to its 8
// significant bits, to nearest: by at most 2^-8:
//   |Σ rounded weight · v - Σ weight · v| / total <= 2^-8 · Σ weight · |v| / total,
// 2^-8 of the attention to |v|; a little more for the rounding of the result, which worst_error measures from
// the exact one. Totals are sums of rounded weights; what they are off only brings the quotient nearer.
inline double weight_rounding(const Target& target, DType dtype) {
  return target.name == "avx512_bf16" && dtype == DType::kBFloat16 ? 0x1.02p-8 : 0;
}

// Largest error beyond `rounding` of the magnitudes, the sums of the absolute values of what is added; see
// worst_error of checks.h.
inline double worst_error(const HostTensor& got, const std::vector<double>& expected,
                          const std::vector<double>& magnitudes, double rounding) {
  const double unit = got.type().dtype == DType::kBFloat16 ? 0x1p-8 : 0;
  double worst = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    const double allowed = unit * std::fabs(expected[i]) + rounding * magnitudes[i];
    const double error = std::fabs(got.at(static_cast<int64_t>(i)) - expected[i]) - allowed;
    worst = std::isnan(error) ? std::numeric_limits<double>::infinity() : std::max(worst, error);
  }
  return worst;
}

}  // namespace ipai::test
