// unary: an activation function of every element.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Unary {
  static constexpr const char* kName = "unary";
  static constexpr InputRole kInputs[] = {{"x"}};

  // silu: x·σ(x); gelu: x·Φ(x), by erf; quick_gelu: x·σ(1.702·x).
  enum class Kind : uint8_t { kSilu, kGelu, kQuickGelu } kind = Kind::kSilu;
  static constexpr const char* kKindNames[] = {"silu", "gelu", "quick_gelu"};

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, kKindNames);
  }
};

}  // namespace ipai
