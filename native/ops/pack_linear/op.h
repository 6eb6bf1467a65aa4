// Brings the weight of a linear layer into the layout and dtype of the `linear` kernels.
#pragma once

#include "runtime/dtype.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct PackLinear {
  static constexpr const char* kName = "pack_linear";
  static constexpr InputRole kInputs[] = {{"weight"}};

  DType dtype = DType::kFloat32;
  // The layer feeds GEGLU: rows n and n + N/2 become neighbours.
  bool glu = false;
  // The weight comes as [K, N].
  bool transposed = false;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
    visit("glu", glu);
    visit("transposed", transposed);
  }

  static std::string validate(const PackLinear& attributes, const NodeTypes& types) {
    const TensorType& weight = types.inputs[0];
    if (weight.absent || weight.shape.rank() != 2 || is_empty(weight.shape) || !is_float(weight.dtype)) {
      return mismatch("weight", attributes.transposed ? "floats [K, N]" : "floats [N, K]", weight);
    }
    const Shape packed = packed_shape(attributes, weight.shape);
    if (!is_compute(attributes.dtype, types.device.kind)) {
      return "dtype: expected " + compute_dtypes(types.device.kind) + "; got " + dtype_name(attributes.dtype);
    }
    if (attributes.glu && packed[0] % 2 != 0) {
      return mismatch("weight", "an even number of rows, as glu pairs them", weight);
    }
    return check_type("output", types.outputs[0], attributes.dtype, packed);
  }

  // [N, K] of a weight.
  static Shape packed_shape(const PackLinear& attributes, const Shape& weight) {
    return attributes.transposed ? Shape(std::vector<int64_t>{weight[1], weight[0]}) : weight;
  }
};

}  // namespace ipai
