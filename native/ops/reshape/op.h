// reshape: the same elements in the same order under another shape; a view where the planner can alias.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Reshape {
  static constexpr const char* kName = "reshape";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> shape;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
  }

  static std::string validate(const Reshape& reshape, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    const TensorType& y = types.outputs[0];
    if (is_empty(x.shape)) return "x must not be empty";
    if (y.dtype != x.dtype) return "the output must have the dtype of x";
    if (Shape(reshape.shape.begin(), reshape.shape.end()) != y.shape) {
      return "the output's shape differs from the attribute's";
    }
    if (y.shape.size() != x.shape.size()) return "x and the output must have equally many elements";
    return "";
  }
};

}  // namespace ipai
