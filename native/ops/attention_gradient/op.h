// attention_gradient: the gradients of attention with respect to q, k and v, joined along the tokens:
// [B, Nq + 2·Nk, heads·D]. `output` is what attention gave, `gradient` that of the loss with respect to it;
// mask, causal and scale are those of attention. Scores are computed again, and never stored beyond a tile
// (Dao et al. 2022, FlashAttention, appendix B.2).
#pragma once

#include "runtime/op.h"

namespace ipai {

struct AttentionGradient {
  static constexpr const char* kName = "attention_gradient";
  static constexpr InputRole kInputs[] = {{"q"},      {"k"},        {"v"},
                                          {"output"}, {"gradient"}, {"mask", InputRole::kOptional}};

  uint32_t heads = 1;
  float scale = 1;
  bool causal = false;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("heads", heads);
    visit("scale", scale);
    visit("causal", causal);
  }
};

}  // namespace ipai
