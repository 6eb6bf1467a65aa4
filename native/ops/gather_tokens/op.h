// gather_tokens: one token per sample, x [B, N, C], index int32 [B] -> [B, C].
// An index outside of [0, N) gives a row of NaN: the index is data, so that no earlier check can refuse it.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct GatherTokens {
  static constexpr const char* kName = "gather_tokens";
  static constexpr InputRole kInputs[] = {{"x"}, {"index"}};

  template <class Visitor>
  void fields(Visitor&&) {}
};

}  // namespace ipai
