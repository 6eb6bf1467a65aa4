#include "cpu/packed_weight.h"
#include "cpu/type_checks.h"
#include "cpu/winograd_weight.h"
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
  const bool winograd = attributes.algorithm != ConvAlgorithm::kDirect;
  if (winograd && (weight.shape[2] != 3 || weight.shape[3] != 3)) {
    return mismatch("weight", "a kernel of 3x3, as Winograd's algorithms take", weight);
  }
  return check_type("output", types.outputs[0], attributes.dtype, weight.shape);
}

PackedWeight layout_of(const PackConv2d& attributes, const TensorType& weight) {
  return {weight.shape[0], weight.shape.size(1), false, depth_unit(attributes.dtype)};
}

size_t output_bytes(const PackConv2d& attributes, const NodeTypes& types) {
  const TensorType& weight = types.inputs[0];
  const auto winograd_bytes = [&](int positions) {
    return winograd_weight_bytes(attributes.dtype, weight.shape[0], weight.shape[1], positions);
  };
  switch (attributes.algorithm) {
    case ConvAlgorithm::kWinograd2x2:
      return winograd_bytes(winograd_positions<2>());
    case ConvAlgorithm::kWinograd4x4:
      return winograd_bytes(winograd_positions<4>());
    default:
      return static_cast<size_t>(layout_of(attributes, weight).elements()) * dtype_size(attributes.dtype);
  }
}

template <int kOut, class Source, class T>
void pack_transformed(const NodeView& node, CpuContext& context) {
  using Element = typename WinogradWeight<T>::Element;
  const TensorView& weight = node.input(0);
  pack_winograd_weight<kOut, Source>({weight.shape[0], weight.shape[1], false}, weight.data,
                                     node.output().as<Element>(), context);
}

void run(const PackConv2d& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& weight = node.input(0);
  with_float(weight.dtype, [&](auto source) {
    with_compute(attributes.dtype, [&](auto target) {
      using Source = decltype(source);
      using T = decltype(target);
      switch (attributes.algorithm) {
        case ConvAlgorithm::kDirect:
          return pack_weight<Source>(layout_of(attributes, weight), weight.data, weight.shape.size(2),
                                     node.output().as<T>(), context);
        case ConvAlgorithm::kWinograd2x2:
          return pack_transformed<2, Source, T>(node, context);
        case ConvAlgorithm::kWinograd4x4:
          return pack_transformed<4, Source, T>(node, context);
      }
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
