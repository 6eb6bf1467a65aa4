#include "cpu/packed_weight.h"
#include "cpu/with_dtype.h"
#include "ops/pack_linear/op.h"

namespace ipai::IPAI_TARGET {
namespace {

PackedWeight layout_of(const PackLinear& attributes, const TensorType& weight) {
  return {weight.shape[0], weight.shape[1], attributes.glu, depth_unit(attributes.dtype)};
}

size_t output_bytes(const PackLinear& attributes, const NodeTypes& types) {
  return static_cast<size_t>(layout_of(attributes, types.inputs[0]).elements()) *
         dtype_size(attributes.dtype);
}

void run(const PackLinear& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& weight = node.input(0);
  with_float(weight.dtype, [&](auto source) {
    with_compute(attributes.dtype, [&](auto target) {
      pack_weight<decltype(source)>(layout_of(attributes, weight), weight.data, 1,
                                    node.output().as<decltype(target)>(), context);
    });
  });
}

}  // namespace

namespace ops {
Op pack_linear() {
  CpuOpSpec<PackLinear> spec;
  spec.validate = PackLinear::validate;
  spec.output_bytes = output_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
