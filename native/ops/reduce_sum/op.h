// reduce_sum: sums over the axes that have extent 1 in `shape`, of equal rank: the gradient of broadcasting.
#pragma once

#include "runtime/loop_nest.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct ReduceSum {
  static constexpr const char* kName = "reduce_sum";
  static constexpr InputRole kInputs[] = {{"x"}};

  std::vector<int32_t> shape;
  DType dtype = DType::kFloat32;  // of the sums

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("shape", shape);
    visit("dtype", dtype, kDTypeNames);
  }

  static std::string validate(const ReduceSum& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[0];
    if (x.absent || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind), x);
    }
    if (!is_compute(attributes.dtype, types.device.kind)) {
      return "dtype: expected " + compute_dtypes(types.device.kind) + "; got " + dtype_name(attributes.dtype);
    }
    const Shape shape(attributes.shape.begin(), attributes.shape.end());
    bool fits = shape.rank() == x.shape.rank();
    for (int axis = 0; fits && axis < shape.rank(); ++axis) {
      fits = shape[axis] == 1 || shape[axis] == x.shape[axis];
    }
    if (!fits) return "shape: expected the extents of x, " + describe(x) + ", or 1; got " + shape.to_string();
    return check_type("output", types.outputs[0], attributes.dtype, shape);
  }
};

// Loops over the sums, and over the terms of each.
struct ReducedAxes {
  ReducedAxes(const Shape& x, const Shape& y) {
    int64_t x_stride = x.size();
    int64_t y_stride = y.size();
    for (int axis = 0; axis < x.rank(); ++axis) {
      x_stride /= x[axis];
      y_stride /= y[axis];
      if (y[axis] == x[axis]) {
        kept.add_axis(x[axis], {x_stride, y_stride});
      } else {
        reduced.add_axis(x[axis], {x_stride});
      }
    }
  }

  // Whether neighbours in x belong to different sums.
  bool has_columns() const { return kept.rank() > 0 && kept.row_stride(0) == 1; }

  LoopNest<2> kept;  // of x and y
  LoopNest<1> reduced;
};

}  // namespace ipai
