// unary: a function of every element.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Unary {
  static constexpr const char* kName = "unary";
  static constexpr InputRole kInputs[] = {{"x"}};

  // silu: x·σ(x); gelu: x·Φ(x), by erf; quick_gelu: x·σ(1.702·x); rsqrt: 1/√x.
  enum class Kind : uint8_t { kSilu, kGelu, kQuickGelu, kExp, kLog, kRsqrt } kind = Kind::kSilu;
  static constexpr const char* kKindNames[] = {"silu", "gelu", "quick_gelu", "exp", "log", "rsqrt"};

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, kKindNames);
  }

  static std::string validate(const Unary&, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    if (x.absent || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind))
      return mismatch("x", compute_dtypes(types.device.kind), x);
    return check_type("output", types.outputs[0], x.dtype, x.shape);
  }
};

}  // namespace ipai
