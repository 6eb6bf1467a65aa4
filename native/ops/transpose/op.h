// transpose: axis i of the result is axis permutation[i] of x; the result is dense. x may lie at any byte
// offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Transpose {
  static constexpr const char* kName = "transpose";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> permutation;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("permutation", permutation);
  }

  static std::string validate(const Transpose& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    const int rank = static_cast<int>(attributes.permutation.size());
    if (x.absent || is_empty(x.shape) || x.shape.rank() != rank) {
      return mismatch("x", "rank " + std::to_string(rank) + ", as the permutation has", x);
    }
    std::vector<int64_t> extents;
    unsigned seen = 0;
    for (const int32_t axis : attributes.permutation) {
      if (axis < 0 || axis >= rank || (seen >> axis & 1u) != 0) {
        return "permutation: expected each axis once; got axis " + std::to_string(axis) +
               " twice or out of range";
      }
      seen |= 1u << axis;
      extents.push_back(x.shape[axis]);
    }
    return check_type("output", types.outputs[0], x.dtype, Shape(extents));
  }
};

}  // namespace ipai
