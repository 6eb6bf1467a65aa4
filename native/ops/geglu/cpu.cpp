#include <algorithm>

#include "cpu/map.h"
#include "cpu/math.h"
#include "cpu/with_dtype.h"
#include "ops/geglu/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

void run(const Geglu&, const NodeView& node, CpuContext& context) {
  const int64_t channels = node.output().shape[-1];
  const int64_t rows = node.output().shape.size() / channels;
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / channels);
  with_compute(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const T* const x = node.input(0).as<T>();
    T* const y = node.output().as<T>();
    context.parallel_ranges(rows, grain, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        const T* const value = x + row * 2 * channels;
        map(value, value + channels, y + row * channels, channels,
            [](Vec v, Vec gate) { return v * gelu(gate); });
      }
    });
  });
}

}  // namespace

namespace ops {
Op geglu() {
  CpuOpSpec<Geglu> spec;
  spec.validate = Geglu::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
