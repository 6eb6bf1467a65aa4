// activation(convolution + bias + sample_bias) + residual over a picture in NHWC, the weight packed by
// `pack_conv2d`.
//
// Output extent: floor((view + padding before + padding after - kernel) / stride) + 1, where the view is the
// picture, or the picture upsampled (nearest) to upsample_height x upsample_width where those are not 0.
#pragma once

#include <vector>

#include "runtime/conv_geometry.h"
#include "runtime/op.h"
#include "runtime/type_checks.h"

namespace ipai {

// The part of `Activation` that follows convolutions.
inline constexpr const char* kConvActivationNames[] = {"none", "silu"};

struct Conv2d {
  static constexpr const char* kName = "conv2d";
  static constexpr InputRole kInputs[] = {{"x"},
                                          {"weight"},
                                          {"bias", InputRole::kOptional},
                                          {"sample_bias", InputRole::kOptional},
                                          {"residual", InputRole::kOptional}};

  enum Input { kX, kWeight, kBias, kSampleBias, kResidual };
  enum Padding { kTop, kLeft, kBottom, kRight };

  uint32_t stride = 1;
  std::vector<int32_t> padding = {0, 0, 0, 0};  // top, left, bottom, right
  uint32_t upsample_height = 0;
  uint32_t upsample_width = 0;
  Activation activation = Activation::kNone;
  ConvAlgorithm algorithm = ConvAlgorithm::kDirect;

  template <class Visitor>
  void fields(Visitor&& visit) {
    visit("stride", stride);
    visit("padding", padding);
    visit("upsample_height", upsample_height);
    visit("upsample_width", upsample_width);
    visit("activation", activation, kConvActivationNames);
    visit("algorithm", algorithm, kConvAlgorithmNames);
  }

  static ConvGeometry geometry_of(const Conv2d& attributes, const Shape& x, const Shape& weight) {
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

  static std::string validate_attributes(const Conv2d& attributes) {
    if (attributes.stride == 0) return "stride: expected at least 1; got 0";
    if (attributes.padding.size() != 4) {
      return "padding: expected [top, left, bottom, right]; got " +
             std::to_string(attributes.padding.size()) + " numbers";
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
  static std::string validate_epilogue(const ConvGeometry& g, DType dtype, const NodeTypes& types) {
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

  static std::string validate(const Conv2d& attributes, const NodeTypes& types) {
    if (const std::string error = validate_attributes(attributes); !error.empty()) return error;
    const TensorType& x = types.inputs[kX];
    const TensorType& weight = types.inputs[kWeight];
    if (x.absent || x.shape.rank() != 4 || is_empty(x.shape) || !is_compute(x.dtype, types.device.kind)) {
      return mismatch("x", compute_dtypes(types.device.kind) + " [B, H, W, I]", x);
    }
    if (weight.absent || weight.shape.rank() != 4 || is_empty(weight.shape) || weight.dtype != x.dtype ||
        weight.shape[1] != x.shape[3]) {
      const std::string channels = std::to_string(x.shape[3]);
      return mismatch(
          "weight", std::string("packed ") + dtype_name(x.dtype) + " [O, " + channels + ", kh, kw]", weight);
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
};

}  // namespace ipai
