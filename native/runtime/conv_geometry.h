// Sizes of a 2-D convolution over a picture [batch, height, width, channels] that is read as if it had been
// upsampled (nearest) to [view_height, view_width] and padded with zeros.
#pragma once

#include <cstdint>

namespace ipai {

struct ConvGeometry {
  int64_t batch, height, width, channels;
  int64_t view_height, view_width;
  int64_t kernel_height, kernel_width;
  int64_t stride, top, left;
  int64_t out_height, out_width, out_channels;

  int64_t rows() const { return batch * out_height * out_width; }
  int64_t depth() const { return kernel_height * kernel_width * channels; }
  bool upsamples() const { return view_height != height || view_width != width; }
  // Each output pixel is a function of the input pixel at its place alone.
  bool is_pointwise() const {
    return kernel_height == 1 && kernel_width == 1 && stride == 1 && !upsamples() && out_height == height &&
           out_width == width && top == 0 && left == 0;
  }
};

}  // namespace ipai
