#include "cpu/packed_weight.h"
#include "cpu/winograd_kernels.h"
#include "cpu/with_dtype.h"
#include "ops/pack_conv2d/op.h"

namespace ipai::IPAI_TARGET {
namespace {

PackedWeight layout_of(const PackConv2d& attributes, const TensorType& weight) {
  return {weight.shape[0], weight.shape.size(1), false, depth_unit(attributes.dtype)};
}

template <int kOut>
HeldLayout<kOut> held_layout_of(const TensorType& weight) {
  return {{weight.shape[0], weight.shape[1], false}};
}

size_t output_bytes(const PackConv2d& attributes, const NodeTypes& types) {
  switch (attributes.algorithm) {
    case ConvAlgorithm::kWinograd4x4Held:
      return held_layout_of<4>(types.inputs[0]).bytes(attributes.dtype);
    case ConvAlgorithm::kWinograd2x2Held:
      return held_layout_of<2>(types.inputs[0]).bytes(attributes.dtype);
    case ConvAlgorithm::kWinograd6x6Held:
      return held_layout_of<6>(types.inputs[0]).bytes(attributes.dtype);
    default:
      break;
  }
  return static_cast<size_t>(layout_of(attributes, types.inputs[0]).elements()) *
         dtype_size(attributes.dtype);
}

template <int kOut, class Source, class T>
void pack_held(const NodeView& node, CpuContext& context) {
  auto* const held = node.output().as<typename HeldElement<kOut, T>::Type>();
  pack_held_kernels<kOut, Source>(held_layout_of<kOut>(node.input(0)), node.input(0).data, held, context);
}

void run(const PackConv2d& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& weight = node.input(0);
  with_float(weight.dtype, [&](auto source) {
    with_compute(attributes.dtype, [&](auto target) {
      using Source = decltype(source);
      using T = decltype(target);
      switch (attributes.algorithm) {
        case ConvAlgorithm::kWinograd4x4Held:
          return pack_held<4, Source, T>(node, context);
        case ConvAlgorithm::kWinograd2x2Held:
          return pack_held<2, Source, T>(node, context);
        case ConvAlgorithm::kWinograd6x6Held:
          return pack_held<6, Source, T>(node, context);
        default:
          return pack_weight<Source>(layout_of(attributes, weight), weight.data, weight.shape.size(2),
                                     node.output().as<T>(), context);
      }
    });
  });
}

}  // namespace

namespace ops {
Op pack_conv2d() {
  CpuOpSpec<PackConv2d> spec;
  spec.validate = PackConv2d::validate;
  spec.output_bytes = output_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
