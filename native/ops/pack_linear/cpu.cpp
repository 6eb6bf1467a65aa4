#include "cpu/pack_transposed.h"
#include "cpu/with_dtype.h"
#include "ops/pack_linear/op.h"

namespace ipai::IPAI_TARGET {
namespace {

PackedWeight layout_of(const PackLinear& attributes, const TensorType& weight) {
  const Shape shape = PackLinear::packed_shape(attributes, weight.shape);
  return {shape[0], shape[1], attributes.glu, depth_unit(attributes.dtype)};
}

size_t output_bytes(const PackLinear& attributes, const NodeTypes& types) {
  return static_cast<size_t>(layout_of(attributes, types.inputs[0]).elements()) *
         dtype_size(attributes.dtype);
}

void run(const PackLinear& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& weight = node.input(0);
  const PackedWeight layout = layout_of(attributes, weight);
  with_float(weight.dtype, [&](auto source) {
    with_compute(attributes.dtype, [&](auto target) {
      using Source = decltype(source);
      auto* const packed = node.output().as<decltype(target)>();
      if (attributes.transposed) {
        pack_transposed_weight<Source>(layout, weight.data, packed, context);
      } else {
        pack_weight<Source>(layout, weight.data, 1, packed, context);
      }
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
