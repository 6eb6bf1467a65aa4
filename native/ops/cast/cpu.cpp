#include "cpu/convert.h"
#include "cpu/map.h"
#include "cpu/with_dtype.h"
#include "ops/cast/op.h"
#include "runtime/cpu_context.h"

namespace ipai::IPAI_TARGET {
namespace {

template <class From>
void cast_from(const NodeView& node, CpuContext& context) {
  const std::byte* const source = node.input(0).as<std::byte>();
  with_float(node.output().dtype, [&](auto element) {
    using To = decltype(element);
    To* const target = node.output().as<To>();
    context.parallel_ranges(
        node.output().shape.size(), kElementwiseGrain, [&](int64_t begin, int64_t end, int) {
          convert<From>(source + begin * static_cast<int64_t>(sizeof(From)), target + begin, end - begin);
        });
  });
}

void run(const Cast&, const NodeView& node, CpuContext& context) {
  if (node.input(0).dtype == DType::kInt32) return cast_from<int32_t>(node, context);
  with_float(node.input(0).dtype, [&](auto from) { cast_from<decltype(from)>(node, context); });
}

}  // namespace

namespace ops {
Op cast() {
  CpuOpSpec<Cast> spec;
  spec.validate = Cast::validate;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
