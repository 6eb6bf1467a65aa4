// affine: y = x · scale + offset, with two numbers for the whole tensor.
#pragma once

#include "runtime/op.h"

namespace ipai::ops {

struct Affine {
  static constexpr const char* kName = "affine";
  static constexpr InputRole kInputs[] = {{"x"}};

  float scale = 1;
  float offset = 0;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("scale", scale);
    visit("offset", offset);
  }
};

}  // namespace ipai::ops
