// transpose: axis i of the result is axis permutation[i] of x; the result is dense. x may lie at any byte
// offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Transpose {
  static constexpr const char* kName = "transpose";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> permutation;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("permutation", permutation);
  }
};

}  // namespace ipai
