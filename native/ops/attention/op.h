// attention: softmax(scale · q·kᵀ + mask)·v for each head (Vaswani et al. 2017, eq. 1; heads as in
// section 3.2.2, without the projections): q [B, Nq, heads·D], k and v [B, Nk, heads·D] -> [B, Nq, heads·D].
//
// mask float32 [B or 1, Nq or 1, Nk] is added to the scores. `causal` lets query i see the keys 0 ... i. A
// query all of whose keys are masked with -infinity gives zeros. Scores are never stored beyond a tile.
//
// Sums and exponentials are float32. Where the target has dot products of bfloat16, bfloat16 activations are
// multiplied as such, for which the softmax's weights are rounded to bfloat16 before they are summed up. On
// CUDA's tensor cores, weights of float16 or bfloat16 activations are rounded to their dtype after they are.
#pragma once

#include "runtime/attention_checks.h"
#include "runtime/op.h"

namespace ipai {

struct Attention {
  static constexpr const char* kName = "attention";
  static constexpr InputRole kInputs[] = {{"q"}, {"k"}, {"v"}, {"mask", InputRole::kOptional}};

  enum Input { kQ, kK, kV, kMask };

  uint32_t heads = 1;
  float scale = 1;
  bool causal = false;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("heads", heads);
    visit("scale", scale);
    visit("causal", causal);
  }

  static std::string validate(const Attention& attributes, const NodeTypes& types) {
    const TensorType& q = types.inputs[kQ];
    const TensorType& k = types.inputs[kK];
    const std::string error =
        check_attention(q, k, types.inputs[kV], attributes.heads, "k", "v", types.device.kind);
    if (!error.empty()) return error;
    if (const std::string reason = check_mask(types.inputs[kMask], q, k); !reason.empty()) return reason;
    return check_type("output", types.outputs[0], q.dtype, q.shape);
  }
};

}  // namespace ipai
