// layer_norm_gradient: the gradient of layer_norm with respect to x. With n = (x - mean) / deviation and
// g = gradient · scale it is (g - mean(g) - n · mean(g · n)) / deviation, means over the last axis.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct LayerNormGradient {
  static constexpr const char* kName = "layer_norm_gradient";
  static constexpr InputRole kInputs[] = {{"x"}, {"gradient"}, {"scale", InputRole::kOptional}};

  float epsilon = 1e-5f;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("epsilon", epsilon);
  }
};

}  // namespace ipai
