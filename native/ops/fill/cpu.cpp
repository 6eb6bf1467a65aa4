#include "ops/fill/op.h"

#include "cpu/vec.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET::ops {
namespace {

using ipai::ops::Fill;

constexpr int64_t kGrain = 16384;

std::string validate(const Fill& fill, const NodeTypes& types) {
  const TensorType& y = types.outputs[0];
  if (y.dtype != fill.dtype) return "the output's dtype differs from the attribute's";
  if (y.dtype != DType::kFloat32 && y.dtype != DType::kBFloat16)
    return "only float32 and bfloat16 can be filled";
  if (Shape(fill.shape.begin(), fill.shape.end()) != y.shape)
    return "the output's shape differs from the attribute's";
  return "";
}

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

Op fill() {
  CpuOpSpec<Fill> spec;
  spec.validate = validate;
  spec.run = run;
  return make_cpu_op(spec);
}

}  // namespace ipai::IPAI_TARGET::ops
