// scatter_rows: x [B, M, C], index int32 [B, M] -> float32 [B, rows, C], in which row r is the sum of the
// rows of x whose index is r. An index outside of [0, rows) is passed over.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct ScatterRows {
  static constexpr const char* kName = "scatter_rows";
  static constexpr InputRole kInputs[] = {{"x"}, {"index"}};

  enum Input { kX, kIndex };

  uint32_t rows = 1;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("rows", rows);
  }

  static std::string validate(const ScatterRows& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || x.shape.rank() != 3 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [B, M, C]", x);
    }
    if (attributes.rows == 0) return "rows: expected 1 or more; got 0";
    const Shape index(std::vector<int64_t>{x.shape[0], x.shape[1]});
    const std::string error = check_type("index", types.inputs[kIndex], DType::kInt32, index);
    if (!error.empty()) return error;
    const Shape output(std::vector<int64_t>{x.shape[0], attributes.rows, x.shape[2]});
    return check_type("output", types.outputs[0], DType::kFloat32, output);
  }
};

}  // namespace ipai
