// layer_norm: (x - mean) / sqrt(variance + epsilon) · scale + shift over the last axis, the variance being
// the biased one (Ba et al. 2016, Layer Normalization, eq. 3 and 4). scale and shift may lie at any byte
// offset.
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

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("epsilon", epsilon);
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
    if (error.empty()) error = check_type("output", types.outputs[0], x.dtype, x.shape);
    return error;
  }
};

}  // namespace ipai
