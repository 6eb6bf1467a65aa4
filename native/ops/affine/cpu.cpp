#include "ops/affine/op.h"

#include "cpu/vec.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

constexpr int64_t kGrain = 16384;

template <class T>
void affine_range(const T* x, T* y, int64_t count, Vec scale, Vec offset) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) fma(Vec::load(x + i), scale, offset).store(y + i);
  const int rest = static_cast<int>(count - i);
  if (rest > 0) store_partial(y + i, fma(load_partial(x + i, rest), scale, offset), rest);
}

template <class T>
void affine_all(const Affine& affine, const NodeView& node, CpuContext& context) {
  const T* const x = node.input(0).as<T>();
  T* const y = node.output().as<T>();
  const Vec scale = Vec::broadcast(affine.scale);
  const Vec offset = Vec::broadcast(affine.offset);
  context.parallel_ranges(node.output().shape.size(), kGrain, [&](int64_t begin, int64_t end, int) {
    affine_range(x + begin, y + begin, end - begin, scale, offset);
  });
}

void run(const Affine& affine, const NodeView& node, CpuContext& context) {
  if (node.input(0).dtype == DType::kFloat32) {
    affine_all<float>(affine, node, context);
  } else {
    affine_all<BFloat16>(affine, node, context);
  }
}

}  // namespace

namespace ops {
Op affine() {
  CpuOpSpec<Affine> spec;
  spec.in_place_inputs = {0};
  spec.validate = Affine::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
