// adamw: a step of AdamW (Loshchilov & Hutter 2019, Decoupled Weight Decay Regularization, algorithm 2,
// without the schedule multiplier; PyTorch's AdamW): state float32 [3, ...] is a weight, the mean of its
// gradients and that of their squares; gradient float32 [...]. `step` float32 [4] has what changes: the
// learning rate, the bias corrections 1 - beta1^t and 1 - beta2^t, and a factor for the gradient (clipping,
// accumulation).
#pragma once

#include "runtime/op.h"

namespace ipai {

struct AdamW {
  static constexpr const char* kName = "adamw";
  static constexpr InputRole kInputs[] = {{"state"}, {"gradient"}, {"step"}};

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
};

}  // namespace ipai
