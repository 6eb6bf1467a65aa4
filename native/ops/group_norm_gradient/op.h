// group_norm_gradient: the gradient of group_norm, without activation, with respect to x. With
// n = (x - mean) / deviation and g = gradient · scale it is (g - mean(g) - n · mean(g · n)) / deviation,
// means over the positions and channels of a group. scale may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct GroupNormGradient {
  static constexpr const char* kName = "group_norm_gradient";
  static constexpr InputRole kInputs[] = {{"x"}, {"gradient"}, {"scale"}};

  uint32_t groups = 32;
  float epsilon = 1e-5f;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("groups", groups);
    visit("epsilon", epsilon);
  }
};

}  // namespace ipai
