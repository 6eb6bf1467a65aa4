#include <algorithm>
#include <limits>

#include "cpu/vec.h"
#include "cpu/with_dtype.h"
#include "ops/gather_tokens/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

void run(const GatherTokens&, const NodeView& node, CpuContext&) {
  const TensorView& x = node.input(GatherTokens::kX);
  const int32_t* const index = node.input(GatherTokens::kIndex).as<int32_t>();
  const int64_t tokens = x.shape[1];
  const int64_t channels = x.shape[2];
  with_compute(x.dtype, [&](auto element) {
    using T = decltype(element);
    for (int64_t sample = 0; sample < x.shape[0]; ++sample) {
      T* const row = node.output().as<T>() + sample * channels;
      if (index[sample] >= 0 && index[sample] < tokens) {
        std::copy_n(x.as<T>() + (sample * tokens + index[sample]) * channels, channels, row);
      } else {
        T nan;
        store_scalar(&nan, std::numeric_limits<float>::quiet_NaN());
        std::fill_n(row, channels, nan);
      }
    }
  });
}

}  // namespace

namespace ops {
Op gather_tokens() {
  CpuOpSpec<GatherTokens> spec;
  spec.validate = GatherTokens::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
