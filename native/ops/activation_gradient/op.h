// activation_gradient: gradient · f'(x), for the functions f of `unary`.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct ActivationGradient {
  static constexpr const char* kName = "activation_gradient";
  static constexpr InputRole kInputs[] = {{"x"}, {"gradient"}};

  enum Input { kX, kGradient };

  enum class Kind : uint8_t { kSilu, kGelu, kQuickGelu } kind = Kind::kSilu;
  static constexpr const char* kKindNames[] = {"silu", "gelu", "quick_gelu"};

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, kKindNames);
  }

  static std::string validate(const ActivationGradient&, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind), x);
    }
    const std::string error = check_type("gradient", types.inputs[kGradient], x.dtype, x.shape);
    return error.empty() ? check_type("output", types.outputs[0], x.dtype, x.shape) : error;
  }
};

}  // namespace ipai
