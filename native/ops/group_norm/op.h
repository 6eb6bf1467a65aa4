// group_norm: x [B, ..., C], channels last; each sample's channels in `groups` groups of neighbours, each
// group normalised over all positions and its channels (Wu & He 2018, Group Normalization, eq. 1 and 7,
// biased variance), then · scale + shift and, if asked, SiLU. scale and shift may lie at any byte offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

// The part of `Activation` that follows group normalisation.
inline constexpr const char* kGroupNormActivationNames[] = {"none", "silu"};

struct GroupNorm {
  static constexpr const char* kName = "group_norm";
  static constexpr InputRole kInputs[] = {{"x"}, {"scale"}, {"shift"}};

  uint32_t groups = 32;
  float epsilon = 1e-5f;
  Activation activation = Activation::kNone;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("groups", groups);
    visit("epsilon", epsilon);
    visit("activation", activation, kGroupNormActivationNames);
  }
};

}  // namespace ipai
