// gather_tokens: one token per sample, x [B, N, C], index int32 [B] -> [B, C].
// An index outside of [0, N) gives a row of NaN: the index is data, so that no earlier check can refuse it.
#pragma once

#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

struct GatherTokens {
  static constexpr const char* kName = "gather_tokens";
  static constexpr InputRole kInputs[] = {{"x"}, {"index"}};

  enum Input { kX, kIndex };

  template <class Visitor>
  void fields(Visitor&&) {}

  static std::string validate(const GatherTokens&, const NodeTypes& types) {
    const TensorType& x = types.inputs[kX];
    if (x.absent || x.shape.rank() != 3 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [B, N, C]", x);
    }
    const Shape samples(std::vector<int64_t>{x.shape[0]});
    const Shape rows(std::vector<int64_t>{x.shape[0], x.shape[2]});
    const std::string error = check_type("index", types.inputs[kIndex], DType::kInt32, samples);
    return error.empty() ? check_type("output", types.outputs[0], x.dtype, rows) : error;
  }
};

}  // namespace ipai
