// fill: a constant tensor.
#pragma once

#include "runtime/op.h"

namespace ipai::ops {

struct Fill {
  static constexpr const char* kName = "fill";
  static constexpr std::array<InputRole, 0> kInputs{};

  std::vector<int32_t> shape;
  float value = 0;
  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
    visit("value", value);
    visit("dtype", dtype, kDTypeNames);
  }
};

}  // namespace ipai::ops
