#include "cpu/map.h"
#include "cpu/math.h"
#include "cpu/with_dtype.h"
#include "ops/activation_gradient/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

template <Vec (*Derivative)(Vec), class T>
void map_all(const NodeView& node, CpuContext& context) {
  const T* const x = node.input(ActivationGradient::kX).as<T>();
  const T* const gradient = node.input(ActivationGradient::kGradient).as<T>();
  T* const y = node.output().as<T>();
  context.parallel_ranges(node.output().shape.size(), kElementwiseGrain,
                          [&](int64_t begin, int64_t end, int) {
                            map(x + begin, gradient + begin, y + begin, end - begin,
                                [](Vec v, Vec g) { return g * Derivative(v); });
                          });
}

void run(const ActivationGradient& attributes, const NodeView& node, CpuContext& context) {
  with_compute(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    switch (attributes.kind) {
      case ActivationGradient::Kind::kSilu:
        return map_all<silu_derivative, T>(node, context);
      case ActivationGradient::Kind::kGelu:
        return map_all<gelu_derivative, T>(node, context);
      case ActivationGradient::Kind::kQuickGelu:
        return map_all<quick_gelu_derivative, T>(node, context);
    }
  });
}

}  // namespace

namespace ops {
Op activation_gradient() {
  CpuOpSpec<ActivationGradient> spec;
  spec.in_place_inputs = {ActivationGradient::kX, ActivationGradient::kGradient};
  spec.validate = ActivationGradient::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
