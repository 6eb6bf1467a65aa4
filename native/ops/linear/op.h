// activation(x · weightᵀ + bias) + residual, the weight packed by `pack_linear`. A residual, and the output
// with it, is of x's dtype or float32.
//
// With geglu the weight has 2·outputs rows and was packed with `glu`; the first half of its rows gives the
// values, the second the gates (Shazeer 2020, GLU Variants Improve Transformer, eq. 6): value · gelu(gate).
#pragma once

#include <vector>

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct Linear {
  static constexpr const char* kName = "linear";
  static constexpr InputRole kInputs[] = {
      {"x"}, {"weight"}, {"bias", InputRole::kOptional}, {"residual", InputRole::kOptional}};

  enum Input { kX, kWeight, kBias, kResidual };

  Activation activation = Activation::kNone;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("activation", activation, kActivationNames);
  }

  static std::string validate(const Linear& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    const TensorType& weight = types.inputs[kWeight];
    const bool glu = attributes.activation == Activation::kGeglu;
    if (x.absent || x.shape.rank() < 1 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [..., K]", x);
    }
    if (weight.absent || weight.shape.rank() != 2 || is_empty(weight.shape) || weight.dtype != x.dtype ||
        weight.shape[1] != x.shape[-1]) {
      const std::string depth = std::to_string(x.shape[-1]);
      return mismatch("weight", std::string("packed ") + dtype_name(x.dtype) + " [N, " + depth + "]", weight);
    }
    if (glu && weight.shape[0] % 2 != 0) {
      return mismatch("weight", "an even number of rows, as geglu pairs them", weight);
    }
    const int64_t rows = weight.shape[0];
    std::vector<int64_t> extents;
    for (int axis = 0; axis + 1 < x.shape.rank(); ++axis) extents.push_back(x.shape[axis]);
    extents.push_back(glu ? rows / 2 : rows);
    const Shape output(extents);
    std::string error =
        check_optional_type("bias", types.inputs[kBias], DType::kFloat32, Shape(std::vector<int64_t>{rows}));
    const TensorType& residual = types.inputs[kResidual];
    const bool widens = !residual.absent && residual.dtype == DType::kFloat32;
    const DType sum = widens ? DType::kFloat32 : x.dtype;
    if (error.empty()) error = check_optional_type("residual", residual, sum, output);
    if (error.empty()) error = check_type("output", types.outputs[0], sum, output);
    return error;
  }
};

}  // namespace ipai
