// binary: two tensors of equal rank, element by element, axes of extent 1 repeated as in NumPy.
#pragma once

#include <algorithm>

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Binary {
  static constexpr const char* kName = "binary";
  static constexpr InputRole kInputs[] = {{"a"}, {"b"}};

  enum Input { kA, kB };

  enum class Kind : uint8_t { kAdd, kSubtract, kMultiply } kind = Kind::kAdd;
  static constexpr const char* kKindNames[] = {"add", "subtract", "multiply"};

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("kind", kind, kKindNames);
  }

  static std::string validate(const Binary&, const NodeTypes& types) {
    const TensorType& a = types.inputs[kA];
    const TensorType& b = types.inputs[kB];
    if (a.absent || is_empty(a.shape) || !is_compute(a.dtype, types.device.kind))
      return mismatch("a", compute_dtypes(types.device.kind), a);
    if (b.absent || is_empty(b.shape) || b.dtype != a.dtype || b.shape.rank() != a.shape.rank()) {
      return mismatch("b", "the dtype and rank of a, " + describe(a), b);
    }
    std::vector<int64_t> extents;
    for (int axis = 0; axis < a.shape.rank(); ++axis) {
      if (a.shape[axis] != b.shape[axis] && a.shape[axis] != 1 && b.shape[axis] != 1) {
        return mismatch("b", "the extents of a, " + describe(a) + ", or extents of 1", b);
      }
      extents.push_back(std::max(a.shape[axis], b.shape[axis]));
    }
    return check_type("output", types.outputs[0], a.dtype, Shape(extents));
  }
};

}  // namespace ipai
