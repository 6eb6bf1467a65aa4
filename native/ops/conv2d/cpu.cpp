#include "cpu/gemm.h"
#include "cpu/picture_rows.h"
#include "cpu/winograd_conv.h"
#include "cpu/with_dtype.h"
#include "ops/conv2d/op.h"
#include "runtime/type_checks.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kX, kWeight, kBias, kSampleBias, kResidual };
enum Padding { kTop, kLeft, kBottom, kRight };

ConvGeometry geometry_of(const Conv2d& attributes, const Shape& x, const Shape& weight) {
  ConvGeometry g{};
  g.batch = x[0];
  g.height = x[1];
  g.width = x[2];
  g.channels = x[3];
  g.view_height = attributes.upsample_height > 0 ? attributes.upsample_height : g.height;
  g.view_width = attributes.upsample_width > 0 ? attributes.upsample_width : g.width;
  g.out_channels = weight[0];
  g.kernel_height = weight[2];
  g.kernel_width = weight[3];
  g.stride = attributes.stride;
  g.top = attributes.padding[kTop];
  g.left = attributes.padding[kLeft];
  const int64_t room_y = g.view_height + g.top + attributes.padding[kBottom] - g.kernel_height;
  const int64_t room_x = g.view_width + g.left + attributes.padding[kRight] - g.kernel_width;
  g.out_height = room_y < 0 ? 0 : room_y / g.stride + 1;
  g.out_width = room_x < 0 ? 0 : room_x / g.stride + 1;
  return g;
}

std::string validate_attributes(const Conv2d& attributes) {
  if (attributes.stride == 0) return "stride: expected at least 1; got 0";
  if (attributes.padding.size() != 4) {
    return "padding: expected [top, left, bottom, right]; got " + std::to_string(attributes.padding.size()) +
           " numbers";
  }
  for (const int32_t side : attributes.padding) {
    if (side < 0) return "padding: expected no negative numbers; got " + std::to_string(side);
  }
  if ((attributes.upsample_height == 0) != (attributes.upsample_width == 0)) {
    return "upsample_height and upsample_width: expected both or neither to be 0; got " +
           std::to_string(attributes.upsample_height) + " and " + std::to_string(attributes.upsample_width);
  }
  return {};
}

// The optional inputs and the output, once x and the weight are known to fit.
std::string validate_epilogue(const ConvGeometry& g, DType dtype, const NodeTypes& types) {
  const Shape output(std::vector<int64_t>{g.batch, g.out_height, g.out_width, g.out_channels});
  const TensorType& sample_bias = types.inputs[kSampleBias];
  const bool shared = !sample_bias.absent && sample_bias.shape.rank() == 2 && sample_bias.shape[0] == 1;
  const Shape sample_bias_shape(std::vector<int64_t>{shared ? 1 : g.batch, g.out_channels});
  std::string error = check_optional_type("bias", types.inputs[kBias], DType::kFloat32,
                                          Shape(std::vector<int64_t>{g.out_channels}));
  if (error.empty())
    error = check_optional_type("sample_bias", sample_bias, DType::kFloat32, sample_bias_shape);
  if (error.empty()) error = check_optional_type("residual", types.inputs[kResidual], dtype, output);
  if (error.empty()) error = check_type("output", types.outputs[0], dtype, output);
  return error;
}

std::string validate(const Conv2d& attributes, const NodeTypes& types) {
  if (const std::string error = validate_attributes(attributes); !error.empty()) return error;
  const TensorType& x = types.inputs[kX];
  const TensorType& weight = types.inputs[kWeight];
  if (x.absent || x.shape.rank() != 4 || is_empty(x.shape) || !is_compute(x.dtype)) {
    return mismatch("x", "float32 or bfloat16 [B, H, W, I]", x);
  }
  if (weight.absent || weight.shape.rank() != 4 || is_empty(weight.shape) || weight.dtype != x.dtype ||
      weight.shape[1] != x.shape[3]) {
    const std::string channels = std::to_string(x.shape[3]);
    return mismatch("weight", std::string("packed ") + dtype_name(x.dtype) + " [O, " + channels + ", kh, kw]",
                    weight);
  }
  const bool suits_winograd = weight.shape[2] == 3 && weight.shape[3] == 3 && attributes.stride == 1;
  if (attributes.algorithm != ConvAlgorithm::kDirect && !suits_winograd) {
    return mismatch("weight", "a kernel of 3x3 at stride 1, as Winograd's algorithm takes", weight);
  }
  const ConvGeometry g = geometry_of(attributes, x.shape, weight.shape);
  if (g.out_height == 0 || g.out_width == 0) {
    return mismatch("x", "a picture that, padded, is no smaller than the kernel", x);
  }
  return validate_epilogue(g, x.dtype, types);
}

PackedWeight layout_of(const ConvGeometry& geometry, DType dtype) {
  return {geometry.out_channels, geometry.depth(), false, depth_unit(dtype)};
}

template <int kOut>
HeldLayout<kOut> held_layout_of(const ConvGeometry& geometry) {
  return {{geometry.out_channels, geometry.channels, false}};
}

size_t input_bytes(const Conv2d& attributes, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != kWeight) return input.dense_bytes();
  const ConvGeometry g = geometry_of(attributes, types.inputs[kX].shape, input.shape);
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
  const ConvGeometry g = geometry_of(attributes, types.inputs[kX].shape, types.inputs[kWeight].shape);
  const DType dtype = types.inputs[kX].dtype;
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
  const TensorView& sample_bias = node.input(kSampleBias);
  Epilogue<T> epilogue;
  epilogue.output = node.output().as<T>();
  epilogue.outputs = g.out_channels;
  epilogue.bias = node.input(kBias).as<float>();
  epilogue.sample_bias = sample_bias.as<float>();
  epilogue.sample_bias_stride = sample_bias.shape[0] == 1 ? 0 : g.out_channels;
  epilogue.rows_per_sample = g.out_height * g.out_width;
  epilogue.residual = node.input(kResidual).as<T>();
  epilogue.activation = attributes.activation;
  return epilogue;
}

template <class T>
void run_direct(const ConvGeometry& g, const PackedWeight& layout, const NodeView& node,
                const Epilogue<T>& epilogue, CpuContext& context) {
  const T* const x = node.input(kX).as<T>();
  const T* const weight = node.input(kWeight).as<T>();
  const GemmPlan plan(node.input(kX).dtype, g.rows(), layout, context.thread_count());
  if (g.is_pointwise()) {
    run_gemm(plan, DenseRows<T>{x, g.channels}, layout, weight, epilogue, context);
  } else {
    run_gemm(plan, PictureRows<T>{x, g}, layout, weight, epilogue, context);
  }
}

template <int kOut, class Kernels, class T>
void run_winograd(const ConvGeometry& g, const Kernels& kernels, const NodeView& node,
                  const Epilogue<T>& epilogue, CpuContext& context) {
  WinogradConv<kOut, T, Kernels>(g, node.input(kX).as<T>(), kernels, epilogue, context).run();
}

template <int kOut, class T>
void run_held(const ConvGeometry& g, const NodeView& node, const Epilogue<T>& epilogue, CpuContext& context) {
  const auto* const weight = node.input(kWeight).as<typename HeldElement<kOut, T>::Type>();
  run_winograd<kOut>(g, HeldKernels<kOut, T>(held_layout_of<kOut>(g), weight), node, epilogue, context);
}

void run(const Conv2d& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(kX);
  const TensorView& weight = node.input(kWeight);
  const ConvGeometry g = geometry_of(attributes, x.shape, weight.shape);
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
  spec.in_place_inputs = {kResidual};
  spec.validate = validate;
  spec.scratch_bytes = scratch_bytes;
  spec.input_bytes = input_bytes;
  spec.run = run;
  return make_cpu_op(spec);
}
}  // namespace ops

}  // namespace ipai::IPAI_TARGET
