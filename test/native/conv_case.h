// Convolutions for tests: sizes, attributes, random operands.
#pragma once

#include "op_harness.h"

namespace ipai::test {

inline const std::vector<double> kSame = {1, 1, 1, 1};

struct ConvCase {
  int64_t batch, height, width, channels, outputs, kernel;
  int64_t stride = 1;
  std::vector<double> padding = {0, 0, 0, 0};  // top, left, bottom, right
  int64_t upsample_height = 0, upsample_width = 0;
  std::string activation = "none";
  int64_t sample_bias_rows = 0;  // 0: none
  bool residual = false;
  std::string algorithm = "direct";

  int64_t view_height() const { return upsample_height > 0 ? upsample_height : height; }
  int64_t view_width() const { return upsample_width > 0 ? upsample_width : width; }
  int64_t out_height() const {
    return (view_height() + static_cast<int64_t>(padding[0] + padding[2]) - kernel) / stride + 1;
  }
  int64_t out_width() const {
    return (view_width() + static_cast<int64_t>(padding[1] + padding[3]) - kernel) / stride + 1;
  }
  std::vector<int64_t> kernels() const { return {outputs, channels, kernel, kernel}; }
  std::vector<int64_t> output() const { return {batch, out_height(), out_width(), outputs}; }
  AttributeMap attributes() const {
    return {{"stride", static_cast<double>(stride)},
            {"padding", padding},
            {"upsample_height", static_cast<double>(upsample_height)},
            {"upsample_width", static_cast<double>(upsample_width)},
            {"activation", activation},
            {"algorithm", algorithm}};
  }
  AttributeMap packing(DType dtype) const { return {{"dtype", dtype_name(dtype)}, {"algorithm", algorithm}}; }
};

struct ConvInputs {
  HostTensor x, weight, bias, sample_bias, residual;

  ConvInputs(const ConvCase& c, DType dtype)
      : x(HostTensor::random(dtype, {c.batch, c.height, c.width, c.channels}, 1)),
        weight(HostTensor::random(dtype, c.kernels(), 2)),
        bias(HostTensor::random(DType::kFloat32, {c.outputs}, 3)) {
    if (c.sample_bias_rows > 0) {
      sample_bias = HostTensor::random(DType::kFloat32, {c.sample_bias_rows, c.outputs}, 4);
    }
    if (c.residual) residual = HostTensor::random(dtype, c.output(), 5);
  }
};

}  // namespace ipai::test
