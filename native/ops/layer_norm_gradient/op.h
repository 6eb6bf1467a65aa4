// layer_norm_gradient: the gradient of layer_norm with respect to x. With n = (x - mean) / deviation and
// g = gradient · scale it is (g - mean(g) - n · mean(g · n)) / deviation, means over the last axis.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct LayerNormGradient {
  static constexpr const char* kName = "layer_norm_gradient";
  static constexpr InputRole kInputs[] = {{"x"}, {"gradient"}, {"scale", InputRole::kOptional}};

  enum Input { kX, kGradient, kScale };

  float epsilon = 1e-5f;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("epsilon", epsilon);
  }

  static std::string validate(const LayerNormGradient& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || x.shape.rank() < 1 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [..., C]", x);
    }
    if (!(attributes.epsilon >= 0)) {
      return "epsilon: expected 0 or more; got " + std::to_string(attributes.epsilon);
    }
    const Shape channels(std::vector<int64_t>{x.shape[-1]});
    std::string error = check_type("gradient", types.inputs[kGradient], x.dtype, x.shape);
    if (error.empty()) error = check_optional_type("scale", types.inputs[kScale], DType::kFloat32, channels);
    if (error.empty()) error = check_type("output", types.outputs[0], x.dtype, x.shape);
    return error;
  }
};

}  // namespace ipai
