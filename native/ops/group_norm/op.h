// group_norm: x [B, ..., C], channels last; each sample's channels in `groups` groups of neighbours, each
// group normalised over all positions and its channels (Wu & He 2018, Group Normalization, eq. 1 and 7,
// biased variance), then · scale + shift and, if asked, SiLU. scale and shift may lie at any byte offset.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

// The part of `Activation` that follows group normalisation.
inline constexpr const char* kGroupNormActivationNames[] = {"none", "silu"};

struct GroupNorm {
  static constexpr const char* kName = "group_norm";
  static constexpr InputRole kInputs[] = {{"x"}, {"scale"}, {"shift"}};

  enum Input { kX, kScale, kShift };

  uint32_t groups = 32;
  float epsilon = 1e-5f;
  Activation activation = Activation::kNone;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("groups", groups);
    visit("epsilon", epsilon);
    visit("activation", activation, kGroupNormActivationNames);
  }

  static std::string validate(const GroupNorm& attributes, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || x.shape.rank() < 2 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [B, ..., C]", x);
    }
    if (attributes.groups == 0 || x.shape[-1] % attributes.groups != 0) {
      return mismatch("x", "channels divisible by " + std::to_string(attributes.groups) + " groups", x);
    }
    if (!(attributes.epsilon >= 0))
      return "epsilon: expected 0 or more; got " + std::to_string(attributes.epsilon);
    const Shape channels(std::vector<int64_t>{x.shape[-1]});
    std::string error = check_type("scale", types.inputs[kScale], DType::kFloat32, channels);
    if (error.empty()) error = check_type("shift", types.inputs[kShift], DType::kFloat32, channels);
    if (error.empty()) error = check_type("output", types.outputs[0], x.dtype, x.shape);
    return error;
  }
};

}  // namespace ipai
