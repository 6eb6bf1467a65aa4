#include "cpu/gemm.h"
#include "cpu/picture_rows.h"
#include "cpu/winograd_conv.h"
#include "cpu/with_dtype.h"
#include "ops/conv2d/op.h"

namespace ipai::IPAI_TARGET {
namespace {

PackedWeight layout_of(const ConvGeometry& geometry, DType dtype) {
  return {geometry.out_channels, geometry.depth(), false, depth_unit(dtype)};
}

template <int kOut>
HeldLayout<kOut> held_layout_of(const ConvGeometry& geometry) {
  return {{geometry.out_channels, geometry.channels, false}};
}

size_t input_bytes(const Conv2d& attributes, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != Conv2d::kWeight) return input.dense_bytes();
  const ConvGeometry g = Conv2d::geometry_of(attributes, types.inputs[Conv2d::kX].shape, input.shape);
  switch (attributes.algorithm) {
    case ConvAlgorithm::kWinograd4x4Held:
      return held_layout_of<4>(g).bytes(input.dtype);
    case ConvAlgorithm::kWinograd2x2Held:
      return held_layout_of<2>(g).bytes(input.dtype);
    case ConvAlgorithm::kWinograd6x6Held:
      return held_layout_of<6>(g).bytes(input.dtype);
    default:
      break;
  }
  return static_cast<size_t>(layout_of(g, input.dtype).elements()) * dtype_size(input.dtype);
}

size_t scratch_bytes(const Conv2d& attributes, const NodeTypes& types, int thread_count) {
  const ConvGeometry g =
      Conv2d::geometry_of(attributes, types.inputs[Conv2d::kX].shape, types.inputs[Conv2d::kWeight].shape);
  const DType dtype = types.inputs[Conv2d::kX].dtype;
  switch (attributes.algorithm) {
    case ConvAlgorithm::kWinograd4x4:
      return WinogradPlan<4>(g, false).scratch_bytes(thread_count);
    case ConvAlgorithm::kWinograd4x4Held:
      return WinogradPlan<4>(g, true).scratch_bytes(thread_count);
    case ConvAlgorithm::kWinograd2x2Held:
      return WinogradPlan<2>(g, true).scratch_bytes(thread_count);
    case ConvAlgorithm::kWinograd6x6Held:
      return WinogradPlan<6>(g, true).scratch_bytes(thread_count);
    default:
      break;
  }
  return GemmPlan(dtype, g.rows(), layout_of(g, dtype), thread_count).scratch_bytes(thread_count);
}

template <class T>
Epilogue<T> epilogue_of(const Conv2d& attributes, const ConvGeometry& g, const NodeView& node) {
  const TensorView& sample_bias = node.input(Conv2d::kSampleBias);
  Epilogue<T> epilogue;
  epilogue.output = node.output().as<T>();
  epilogue.outputs = g.out_channels;
  epilogue.bias = node.input(Conv2d::kBias).as<float>();
  epilogue.sample_bias = sample_bias.as<float>();
  epilogue.sample_bias_stride = sample_bias.shape[0] == 1 ? 0 : g.out_channels;
  epilogue.rows_per_sample = g.out_height * g.out_width;
  epilogue.residual = node.input(Conv2d::kResidual).as<T>();
  epilogue.activation = attributes.activation;
  return epilogue;
}

template <class T>
void run_direct(const ConvGeometry& g, const PackedWeight& layout, const NodeView& node,
                const Epilogue<T>& epilogue, CpuContext& context) {
  const T* const x = node.input(Conv2d::kX).as<T>();
  const T* const weight = node.input(Conv2d::kWeight).as<T>();
  const GemmPlan plan(node.input(Conv2d::kX).dtype, g.rows(), layout, context.thread_count());
  if (g.is_pointwise()) {
    run_gemm(plan, DenseRows<T>{x, g.channels}, layout, weight, epilogue, context);
  } else {
    run_gemm(plan, PictureRows<T>{x, g}, layout, weight, epilogue, context);
  }
}

template <int kOut, class Kernels, class T>
void run_winograd(const ConvGeometry& g, const Kernels& kernels, const NodeView& node,
                  const Epilogue<T>& epilogue, CpuContext& context) {
  WinogradConv<kOut, T, Kernels>(g, node.input(Conv2d::kX).as<T>(), kernels, epilogue, context).run();
}

template <int kOut, class T>
void run_held(const ConvGeometry& g, const NodeView& node, const Epilogue<T>& epilogue, CpuContext& context) {
  const auto* const weight = node.input(Conv2d::kWeight).as<typename HeldElement<kOut, T>::Type>();
  run_winograd<kOut>(g, HeldKernels<kOut, T>(held_layout_of<kOut>(g), weight), node, epilogue, context);
}

void run(const Conv2d& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(Conv2d::kX);
  const TensorView& weight = node.input(Conv2d::kWeight);
  const ConvGeometry g = Conv2d::geometry_of(attributes, x.shape, weight.shape);
  with_compute(x.dtype, [&](auto element) {
    using T = decltype(element);
    const Epilogue<T> epilogue = epilogue_of<T>(attributes, g, node);
    const PackedWeight layout = layout_of(g, x.dtype);
    switch (attributes.algorithm) {
      case ConvAlgorithm::kDirect:
        return run_direct<T>(g, layout, node, epilogue, context);
      case ConvAlgorithm::kWinograd4x4:
        return run_winograd<4>(g, PackedKernels<4, T>(layout, weight.as<T>()), node, epilogue, context);
      case ConvAlgorithm::kWinograd4x4Held:
        return run_held<4, T>(g, node, epilogue, context);
      case ConvAlgorithm::kWinograd2x2Held:
        return run_held<2, T>(g, node, epilogue, context);
      case ConvAlgorithm::kWinograd6x6Held:
        return run_held<6, T>(g, node, epilogue, context);
    }
  });
}

}  // namespace

namespace ops {
Op conv2d() {
  CpuOpSpec<Conv2d> spec;
  spec.in_place_inputs = {Conv2d::kResidual};
  spec.validate = Conv2d::validate;
  spec.scratch_bytes = scratch_bytes;
  spec.input_bytes = input_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
