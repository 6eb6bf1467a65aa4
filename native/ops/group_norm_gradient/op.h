// group_norm_gradient: the gradient of group_norm, without activation, with respect to x. With
// n = (x - mean) / deviation and g = gradient · scale it is (g - mean(g) - n · mean(g · n)) / deviation,
// means over the positions and channels of a group. scale may lie at any byte offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct GroupNormGradient {
  static constexpr const char* kName = "group_norm_gradient";
  static constexpr InputRole kInputs[] = {{"x"}, {"gradient"}, {"scale"}};

  enum Input { kX, kGradient, kScale };

  uint32_t groups = 32;
  float epsilon = 1e-5f;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("groups", groups);
    visit("epsilon", epsilon);
  }

  static std::string validate(const GroupNormGradient& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || x.shape.rank() < 2 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [B, ..., C]", x);
    }
    if (attributes.groups == 0 || x.shape[-1] % attributes.groups != 0) {
      return mismatch("x", "channels divisible by " + std::to_string(attributes.groups) + " groups", x);
    }
    if (!(attributes.epsilon >= 0)) {
      return "epsilon: expected 0 or more; got " + std::to_string(attributes.epsilon);
    }
    const Shape channels(std::vector<int64_t>{x.shape[-1]});
    std::string error = check_type("gradient", types.inputs[kGradient], x.dtype, x.shape);
    if (error.empty()) error = check_type("scale", types.inputs[kScale], DType::kFloat32, channels);
    if (error.empty()) error = check_type("output", types.outputs[0], x.dtype, x.shape);
    return error;
  }
};

}  // namespace ipai
