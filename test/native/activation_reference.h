// The functions of unary and of the epilogues, in float64.
#pragma once

#include <cmath>
#include <string>

namespace ipai::test {

inline double activate(const std::string& kind, double x) {
  if (kind == "silu") return x / (1 + std::exp(-x));
  if (kind == "quick_gelu") return x / (1 + std::exp(-1.702 * x));
  if (kind == "gelu") return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  if (kind == "exp") return std::exp(x);
  if (kind == "log") return std::log(x);
  if (kind == "rsqrt") return 1 / std::sqrt(x);
  return x;
}

}  // namespace ipai::test
