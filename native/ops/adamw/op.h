// adamw: a step of AdamW (Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, algorithm 2,
// without the schedule multiplier; PyTorch's AdamW): state float32 [3, ...] is a weight, the mean of its
// gradients and that of their squares; gradient float32 [...]. `step` float32 [4] has what changes: the
// learning rate, the bias corrections 1 - beta1^t and 1 - beta2^t, and a factor for the gradient (clipping,
// accumulation).
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct AdamW {
  static constexpr const char* kName = "adamw";
  static constexpr InputRole kInputs[] = {{"state"}, {"gradient"}, {"step"}};

  enum Input { kState, kGradient, kStep };

  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float epsilon = 1e-8f;
  float weight_decay = 0.01f;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("beta1", beta1);
    visit("beta2", beta2);
    visit("epsilon", epsilon);
    visit("weight_decay", weight_decay);
  }

  static std::string validate(const AdamW& attributes, const NodeTypes& types) {
    const TensorType& state = types.inputs[kState];
    if (state.absent || state.dtype != DType::kFloat32 || state.shape.rank() < 1 || state.shape[0] != 3 ||
        is_empty(state.shape)) {
      return mismatch("state", "float32 [3, ...]", state);
    }
    if (!(attributes.epsilon > 0)) {
      return "epsilon: expected more than 0; got " + std::to_string(attributes.epsilon);
    }
    std::vector<int64_t> extents;
    for (int axis = 1; axis < state.shape.rank(); ++axis) extents.push_back(state.shape[axis]);
    std::string error = check_type("gradient", types.inputs[kGradient], DType::kFloat32, Shape(extents));
    if (error.empty()) {
      error = check_type("step", types.inputs[kStep], DType::kFloat32, Shape(std::vector<int64_t>{4}));
    }
    if (error.empty()) error = check_type("output", types.outputs[0], DType::kFloat32, state.shape);
    return error;
  }
};

}  // namespace ipai
