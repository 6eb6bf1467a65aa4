// attention_gradient: the gradients of attention with respect to q, k and v, joined along the tokens:
// [B, Nq + 2·Nk, heads·D]. `output` is what attention gave, `gradient` that of the loss with respect to it;
// mask, causal and scale are those of attention. Scores are computed again, and never stored beyond a tile
// (Dao et al. 2022, FlashAttention, appendix B.2).
#pragma once

#include "runtime/attention_checks.h"
#include "runtime/op.h"

namespace ipai {

struct AttentionGradient {
  static constexpr const char* kName = "attention_gradient";
  static constexpr InputRole kInputs[] = {{"q"},      {"k"},        {"v"},
                                          {"output"}, {"gradient"}, {"mask", InputRole::kOptional}};

  enum Input { kQ, kK, kV, kOutput, kGradient, kMask };

  uint32_t heads = 1;
  float scale = 1;
  bool causal = false;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("heads", heads);
    visit("scale", scale);
    visit("causal", causal);
  }

  static Shape joined_shape(const TensorType& q, const TensorType& k) {
    return Shape(std::vector<int64_t>{q.shape[0], q.shape[1] + 2 * k.shape[1], q.shape[2]});
  }

  static std::string validate(const AttentionGradient& attributes, const NodeTypes& types) {
    const TensorType& q = types.inputs[kQ];
    const TensorType& k = types.inputs[kK];
    std::string error =
        check_attention(q, k, types.inputs[kV], attributes.heads, "k", "v", types.device.kind);
    if (error.empty()) error = check_type("output", types.inputs[kOutput], q.dtype, q.shape);
    if (error.empty()) error = check_type("gradient", types.inputs[kGradient], q.dtype, q.shape);
    if (error.empty()) error = check_mask(types.inputs[kMask], q, k);
    if (error.empty()) error = check_type("result", types.outputs[0], q.dtype, joined_shape(q, k));
    return error;
  }
};

}  // namespace ipai
