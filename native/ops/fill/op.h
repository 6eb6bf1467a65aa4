// fill: a constant tensor.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

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

  static std::string validate(const Fill& fill, const NodeTypes& types) {
    const TensorType& y = types.outputs[0];
    if (y.dtype != fill.dtype) return "the output's dtype differs from the attribute's";
    if (!is_compute(y.dtype, types.device.kind))
      return "only " + compute_dtypes(types.device.kind) + " can be filled";
    if (is_empty(y.shape)) return "the output must not be empty";
    if (Shape(fill.shape.begin(), fill.shape.end()) != y.shape)
      return "the output's shape differs from the attribute's";
    return "";
  }
};

}  // namespace ipai
