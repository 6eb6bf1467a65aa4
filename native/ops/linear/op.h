// activation(x · weightᵀ + bias) + residual, the weight packed by `pack_linear`.
//
// With geglu the weight has 2·outputs rows and was packed with `glu`; the first half of its rows gives the
// values, the second the gates (Shazeer 2020, GLU Variants Improve Transformer, eq. 6): value · gelu(gate).
#pragma once

#include "runtime/op.h"

namespace ipai {

struct Linear {
  static constexpr const char* kName = "linear";
  static constexpr InputRole kInputs[] = {
      {"x"}, {"weight"}, {"bias", InputRole::kOptional}, {"residual", InputRole::kOptional}};

  Activation activation = Activation::kNone;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("activation", activation, kActivationNames);
  }
};

}  // namespace ipai
