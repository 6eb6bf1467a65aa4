// geglu: x [..., 2C] -> [..., C], first half · gelu(second half), gelu by erf
// (Shazeer 2020, GLU Variants Improve Transformer, eq. 6).
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Geglu {
  static constexpr const char* kName = "geglu";
  static constexpr InputRole kInputs[] = {{"x"}};

  template <class Visitor>
  void fields(Visitor&&) {}
};

}  // namespace ipai
