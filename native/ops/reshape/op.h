// reshape: the same elements in the same order under another shape; a view where the planner can alias.
#pragma once

#include "runtime/op.h"

namespace ipai::ops {

struct Reshape {
  static constexpr const char* kName = "reshape";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> shape;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
  }
};

}  // namespace ipai::ops
