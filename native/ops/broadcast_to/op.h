// broadcast_to: axes of extent 1 repeated to the given shape of equal rank. x may lie at any byte offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct BroadcastTo {
  static constexpr const char* kName = "broadcast_to";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> shape;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
  }

  static std::string validate(const BroadcastTo& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    const Shape shape(attributes.shape.begin(), attributes.shape.end());
    bool fits = !x.absent && !is_empty(x.shape) && !is_empty(shape) && x.shape.rank() == shape.rank();
    for (int axis = 0; fits && axis < shape.rank(); ++axis)
      fits = x.shape[axis] == 1 || x.shape[axis] == shape[axis];
    if (!fits) return mismatch("x", "extents of 1 or those of " + shape.to_string(), x);
    return check_type("output", types.outputs[0], x.dtype, shape);
  }
};

}  // namespace ipai
