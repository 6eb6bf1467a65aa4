// embedding: rows of a table, table [V, C], ids int32 [...] -> [..., C], converted to `dtype`.
// An id outside of [0, V) gives a row of NaN: ids are data, so that no earlier check can refuse them.
// The table may lie at any byte offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Embedding {
  static constexpr const char* kName = "embedding";
  static constexpr InputRole kInputs[] = {{"table"}, {"ids"}};

  enum Input { kTable, kIds };

  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
  }

  static std::string validate(const Embedding& attributes, const NodeTypes& types) {
    const TensorType& table = types.inputs[kTable];
    const TensorType& ids = types.inputs[kIds];
    if (table.absent || table.shape.rank() != 2 || is_empty(table.shape) || !is_float(table.dtype)) {
      return mismatch("table", "floats [V, C]", table);
    }
    if (ids.absent || is_empty(ids.shape) || ids.shape.rank() >= kMaxRank || ids.dtype != DType::kInt32) {
      return mismatch("ids", "int32, not empty", ids);
    }
    if (!is_float(attributes.dtype)) {
      return std::string("dtype: expected float32, float16 or bfloat16; got ") + dtype_name(attributes.dtype);
    }
    std::vector<int64_t> extents;
    for (int axis = 0; axis < ids.shape.rank(); ++axis) extents.push_back(ids.shape[axis]);
    extents.push_back(table.shape[1]);
    return check_type("output", types.outputs[0], attributes.dtype, Shape(extents));
  }
};

}  // namespace ipai
