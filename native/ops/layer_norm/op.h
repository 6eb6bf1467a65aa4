// layer_norm: (x - mean) / sqrt(variance + epsilon) · scale + shift over the last axis, the variance being
// the biased one (Ba et al. 2016, Layer Normalization, eq. 3 and 4). The result has x's dtype, or where x is
// float32 any that is computed with. scale and shift may lie at any byte offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct LayerNorm {
  static constexpr const char* kName = "layer_norm";
  static constexpr InputRole kInputs[] = {
      {"x"}, {"scale", InputRole::kOptional}, {"shift", InputRole::kOptional}};

  enum Input { kX, kScale, kShift };

  float epsilon = 1e-5f;
  DType dtype = DType::kFloat32;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("epsilon", epsilon);
    visit("dtype", dtype, kDTypeNames);
  }

  static std::string validate(const LayerNorm& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || x.shape.rank() < 1 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [..., C]", x);
    }
    if (!(attributes.epsilon >= 0))
      return "epsilon: expected 0 or more; got " + std::to_string(attributes.epsilon);
    const Shape channels(std::vector<int64_t>{x.shape[-1]});
    std::string error = check_optional_type("scale", types.inputs[kScale], DType::kFloat32, channels);
    if (error.empty()) error = check_optional_type("shift", types.inputs[kShift], DType::kFloat32, channels);
    if (error.empty() && attributes.dtype != x.dtype &&
        (x.dtype != DType::kFloat32 || !is_compute(attributes.dtype, types.device.kind))) {
      error = std::string("dtype: expected ") + dtype_name(x.dtype) +
              (x.dtype == DType::kFloat32 ? ", or another that is computed with; got " : "; got ") +
              dtype_name(attributes.dtype);
    }
    if (error.empty()) error = check_type("output", types.outputs[0], attributes.dtype, x.shape);
    return error;
  }
};

}  // namespace ipai
