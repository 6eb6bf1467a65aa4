// decoupled_attention: attention(q, k, v) + image_scale[b] · attention(q, image_k, image_v), each with a
// softmax of its own (Ye et al. 2023, IP-Adapter, eq. 5): q [B, Nq, heads·D], k and v [B, Nk, heads·D],
// image_k and image_v [B, Ni, heads·D], image_scale float32 [B]. Queries are read once and results written
// once. A sample whose image_scale is 0 gets exactly the plain attention; arithmetic is that of attention.
#pragma once

#include "runtime/attention_checks.h"
#include "runtime/op.h"

namespace ipai {

struct DecoupledAttention {
  static constexpr const char* kName = "decoupled_attention";
  static constexpr InputRole kInputs[] = {{"q"}, {"k"}, {"v"}, {"image_k"}, {"image_v"}, {"image_scale"}};

  enum Input { kQ, kK, kV, kImageK, kImageV, kImageScale };

  uint32_t heads = 1;
  float scale = 1;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("heads", heads);
    visit("scale", scale);
  }

  static std::string validate(const DecoupledAttention& attributes, const NodeTypes& types) {
    const TensorType& q = types.inputs[kQ];
    const auto check = [&](Input keys, Input values) {
      return check_attention(q, types.inputs[keys], types.inputs[values], attributes.heads,
                             kInputs[keys].name, kInputs[values].name, types.device.kind);
    };
    std::string error = check(kK, kV);
    if (error.empty()) error = check(kImageK, kImageV);
    if (error.empty()) {
      const Shape samples(std::vector<int64_t>{q.shape[0]});
      error = check_type("image_scale", types.inputs[kImageScale], DType::kFloat32, samples);
    }
    return error.empty() ? check_type("output", types.outputs[0], q.dtype, q.shape) : error;
  }
};

}  // namespace ipai
