#include "ops/fill/op.h"

#include "cpu/vec.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kGrain = 16384;

template <class T>
void fill_all(float value, const TensorView& y, CpuContext& context) {
  T* const out = y.as<T>();
  context.parallel_ranges(y.shape.size(), kGrain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) store_scalar(out + i, value);
  });
}

void run(const Fill& fill, const NodeView& node, CpuContext& context) {
  if (fill.dtype == DType::kFloat32) {
    fill_all<float>(fill.value, node.output(), context);
  } else {
    fill_all<BFloat16>(fill.value, node.output(), context);
  }
}

}  // namespace

namespace ops {
Op fill() {
  CpuOpSpec<Fill> spec;
  spec.validate = Fill::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
