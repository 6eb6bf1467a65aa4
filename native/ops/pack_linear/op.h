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

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("dtype", dtype, kDTypeNames);
    visit("glu", glu);
  }

  static std::string validate(const PackLinear& attributes, const NodeTypes& types) {
    const TensorType& weight = types.inputs[0];
    if (weight.absent || weight.shape.rank() != 2 || is_empty(weight.shape) || !is_float(weight.dtype)) {
      return mismatch("weight", "floats [N, K]", weight);
    }
    if (!is_compute(attributes.dtype, types.device.kind)) {
      return "dtype: expected " + compute_dtypes(types.device.kind) + "; got " + dtype_name(attributes.dtype);
    }
    if (attributes.glu && weight.shape[0] % 2 != 0) {
      return mismatch("weight", "an even number of rows, as glu pairs them", weight);
    }
    return check_type("output", types.outputs[0], attributes.dtype, weight.shape);
  }
};

}  // namespace ipai
