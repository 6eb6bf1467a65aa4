// activation_gradient: gradient · f'(x), for the functions f of `unary`.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct ActivationGradient {
  static constexpr const char* kName = "activation_gradient";
  static constexpr InputRole kInputs[] = {{"x"}, {"gradient"}};

  enum class Kind : uint8_t { kSilu, kGelu, kQuickGelu } kind = Kind::kSilu;
  static constexpr const char* kKindNames[] = {"silu", "gelu", "quick_gelu"};

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, kKindNames);
  }
};

}  // namespace ipai
