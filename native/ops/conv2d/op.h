// activation(convolution + bias + sample_bias) + residual over a picture in NHWC, the weight packed by
// `pack_conv2d`.
//
// Output extent: floor((view + padding before + padding after - kernel) / stride) + 1, where the view is the
// picture, or the picture upsampled (nearest) to upsample_height x upsample_width where those are not 0.
#pragma once

#include <vector>

#include "runtime/op.h"

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
};

}  // namespace ipai
