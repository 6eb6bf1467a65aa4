// The activations of the epilogues, in float64.
#pragma once

#include <cmath>
#include <string>

namespace ipai::test {

inline double activate(const std::string& kind, double x) {
  if (kind == "silu") return x / (1 + std::exp(-x));
  if (kind == "quick_gelu") return x / (1 + std::exp(-1.702 * x));
  if (kind == "gelu") return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
  return x;
}

}  // namespace ipai::test
