#include "cpu/gemm.h"
#include "cpu/picture_rows.h"
#include "cpu/type_checks.h"
#include "cpu/with_dtype.h"
#include "ops/conv2d/op.h"

namespace ipai::IPAI_TARGET {
namespace {

enum Input { kX, kWeight, kBias, kSampleBias, kResidual };
enum Padding { kTop, kLeft, kBottom, kRight };

// Ways to compute the same convolution; the choice follows from the sizes alone.
enum class Algorithm { kPointwiseGemm, kImplicitGemm };

Algorithm select_algorithm(const ConvGeometry& geometry) {
  return geometry.is_pointwise() ? Algorithm::kPointwiseGemm : Algorithm::kImplicitGemm;
}

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
  const ConvGeometry g = geometry_of(attributes, x.shape, weight.shape);
  if (g.out_height == 0 || g.out_width == 0) {
    return mismatch("x", "a picture that, padded, is no smaller than the kernel", x);
  }
  return validate_epilogue(g, x.dtype, types);
}

PackedWeight layout_of(const ConvGeometry& geometry) {
  return {geometry.out_channels, geometry.depth(), false};
}

size_t input_bytes(const Conv2d& attributes, const NodeTypes& types, int index) {
  const TensorType& input = types.inputs[static_cast<size_t>(index)];
  if (index != kWeight) return input.dense_bytes();
  const ConvGeometry g = geometry_of(attributes, types.inputs[kX].shape, input.shape);
  return static_cast<size_t>(layout_of(g).elements()) * dtype_size(input.dtype);
}

size_t scratch_bytes(const Conv2d& attributes, const NodeTypes& types, int thread_count) {
  const ConvGeometry g = geometry_of(attributes, types.inputs[kX].shape, types.inputs[kWeight].shape);
  return GemmPlan(g.rows(), layout_of(g), thread_count).scratch_bytes(thread_count);
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

void run(const Conv2d& attributes, const NodeView& node, CpuContext& context) {
  const TensorView& x = node.input(kX);
  const TensorView& weight = node.input(kWeight);
  const ConvGeometry g = geometry_of(attributes, x.shape, weight.shape);
  const PackedWeight layout = layout_of(g);
  const GemmPlan plan(g.rows(), layout, context.thread_count());
  with_compute(x.dtype, [&](auto element) {
    using T = decltype(element);
    const Epilogue<T> epilogue = epilogue_of<T>(attributes, g, node);
    switch (select_algorithm(g)) {
      case Algorithm::kPointwiseGemm:
        return run_gemm(plan, DenseRows<T>{x.as<T>(), g.channels}, layout, weight.as<T>(), epilogue, context);
      case Algorithm::kImplicitGemm:
        return run_gemm(plan, PictureRows<T>{x.as<T>(), g}, layout, weight.as<T>(), epilogue, context);
    }
  });
}

}  // namespace

namespace ops {
CpuOp conv2d() {
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
