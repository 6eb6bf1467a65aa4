// decoupled_attention: attention(q, k, v) + image_scale[b] · attention(q, image_k, image_v), each with a
// softmax of its own (Ye et al. 2023, IP-Adapter, eq. 5): q [B, Nq, heads·D], k and v [B, Nk, heads·D],
// image_k and image_v [B, Ni, heads·D], image_scale float32 [B]. Queries are read once and results written
// once. A sample whose image_scale is 0 gets exactly the plain attention; arithmetic is that of attention.
#pragma once

#include "runtime/op.h"

namespace ipai {

struct DecoupledAttention {
  static constexpr const char* kName = "decoupled_attention";
  static constexpr InputRole kInputs[] = {{"q"}, {"k"}, {"v"}, {"image_k"}, {"image_v"}, {"image_scale"}};

  uint32_t heads = 1;
  float scale = 1;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("heads", heads);
    visit("scale", scale);
  }
};

}  // namespace ipai
