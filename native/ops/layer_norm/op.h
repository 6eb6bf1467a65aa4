// layer_norm: (x - mean) / sqrt(variance + epsilon) · scale + shift over the last axis, the variance being
// the biased one (Ba et al. 2016, Layer Normalization, eq. 3 and 4). scale and shift may lie at any byte
// offset.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct LayerNorm {
  static constexpr const char* kName = "layer_norm";
  static constexpr InputRole kInputs[] = {
      {"x"}, {"scale", InputRole::kOptional}, {"shift", InputRole::kOptional}};

  float epsilon = 1e-5f;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("epsilon", epsilon);
  }
};

}  // namespace ipai
