// concat: tensors that differ in one axis only, joined along it. Parts may lie at any byte offset.
#pragma once

#include "cpu/extents.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Concat {
  static constexpr const char* kName = "concat";
  static constexpr InputRole kInputs[] = {{"parts", InputRole::kVariadic}};

  uint32_t axis = 0;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("axis", axis);
  }

  static std::string validate(const Concat& attributes, const NodeTypes& types) {
    if (types.inputs.empty()) return "parts: expected at least one; got none";
    const TensorType& first = types.inputs[0];
    if (attributes.axis >= static_cast<uint32_t>(first.shape.rank())) {
      return mismatch("parts[0]", "an axis " + std::to_string(attributes.axis), first);
    }
    const int axis = static_cast<int>(attributes.axis);
    int64_t extent = 0;
    for (size_t i = 0; i < types.inputs.size(); ++i) {
      const TensorType& part = types.inputs[i];
      const std::string name = "parts[" + std::to_string(i) + "]";
      if (part.absent || is_empty(part.shape)) return mismatch(name, "a tensor with elements", part);
      if (part.dtype != first.dtype || part.shape.rank() != first.shape.rank() ||
          with_extent(part.shape, axis, 1) != with_extent(first.shape, axis, 1)) {
        return mismatch(name, describe(first) + " but for axis " + std::to_string(axis), part);
      }
      extent += part.shape[axis];
    }
    return check_type("output", types.outputs[0], first.dtype, with_extent(first.shape, axis, extent));
  }
};

}  // namespace ipai
