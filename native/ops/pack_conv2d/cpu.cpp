#include "cpu/packed_weight.h"
#include "cpu/type_checks.h"
#include "cpu/with_dtype.h"
#include "ops/pack_conv2d/op.h"

namespace ipai::IPAI_TARGET {
namespace {

std::string validate(const PackConv2d& attributes, const NodeTypes& types) {
  const TensorType& weight = types.inputs[0];
  if (weight.absent || weight.shape.rank() != 4 || is_empty(weight.shape) || !is_float(weight.dtype)) {
    return mismatch("weight", "floats [O, I, kh, kw]", weight);
  }
  if (!is_compute(attributes.dtype)) {
    return std::string("dtype: expected float32 or bfloat16; got ") + dtype_name(attributes.dtype);
  }
  return check_type("output", types.outputs[0], attributes.dtype, weight.shape);
}

PackedWeight layout_of(const TensorType& weight) {
  return {weight.shape[0], weight.shape.size(1), false};
}

size_t output_bytes(const PackConv2d& attributes, const NodeTypes& types) {
  return static_cast<size_t>(layout_of(types.inputs[0]).elements()) * dtype_size(attributes.dtype);
}

void run(const PackConv2d& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& weight = node.input(0);
  with_float(weight.dtype, [&](auto source) {
    with_compute(attributes.dtype, [&](auto target) {
      pack_weight<decltype(source)>(layout_of(weight), weight.data, weight.shape.size(2),
                                    node.output().as<decltype(target)>(), context);
    });
  });
}

}  // namespace

namespace ops {
CpuOp pack_conv2d() {
  CpuOpSpec<PackConv2d> spec;
  spec.validate = validate;
  spec.output_bytes = output_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
