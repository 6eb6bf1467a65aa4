// slice: elements start ... start + length of one axis. x may lie at any byte offset.
#pragma once

#include "cpu/extents.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Slice {
  static constexpr const char* kName = "slice";
  static constexpr InputRole kInputs[] = {{"x"}};

  uint32_t axis = 0;
  uint32_t start = 0;
  uint32_t length = 1;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("axis", axis);
    visit("start", start);
    visit("length", length);
  }

  static std::string validate(const Slice& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    if (x.absent || is_empty(x.shape) || attributes.axis >= static_cast<uint32_t>(x.shape.rank())) {
      return mismatch("x", "an axis " + std::to_string(attributes.axis), x);
    }
    const int axis = static_cast<int>(attributes.axis);
    const int64_t end = int64_t{attributes.start} + attributes.length;
    if (attributes.length < 1 || end > x.shape[axis]) {
      return mismatch("x",
                      "an axis " + std::to_string(axis) + " that holds [" + std::to_string(attributes.start) +
                          ", " + std::to_string(end) + "), not empty",
                      x);
    }
    return check_type("output", types.outputs[0], x.dtype, with_extent(x.shape, axis, attributes.length));
  }
};

}  // namespace ipai
