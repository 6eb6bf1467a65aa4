// Sizes of a product of windows and weights, as ops know them before there are data.
#pragma once

#include <string>

#include "cuda/gemm_plan.h"
#include "runtime/dtype.h"

namespace ipai::cuda {

struct GemmSizes {
  ConvGeometry geometry;
  int64_t columns;  // rows of the weight
  DType dtype;      // of both operands

  int64_t pixels() const { return geometry.batch * geometry.height * geometry.width; }
  int64_t pixel_chunks() const { return ceil_divide(geometry.channels, kChunk); }
  int64_t depth_chunks() const { return geometry.kernel_height * geometry.kernel_width * pixel_chunks(); }
  // Means nothing for float32, which has one kernel.
  GemmPlan plan(const DeviceTraits& device) const {
    if (dtype == DType::kFloat32) return {};
    return plan_gemm(geometry.rows(), columns, depth_chunks(), device);
  }

  // Of the weight as pack_weight.h lays it out.
  size_t weight_bytes() const {
    return static_cast<size_t>(columns * depth_chunks() * kChunk) * dtype_size(dtype);
  }
  // Scratch memory: a copy of x where its channels are no whole chunks, then the splits' sums.
  size_t padded_bytes() const {
    if (geometry.channels % kChunk == 0) return 0;
    const auto bytes = pixels() * pixel_chunks() * kChunk * static_cast<int64_t>(dtype_size(dtype));
    return static_cast<size_t>(ceil_divide(bytes, 256) * 256);
  }
  // Floats from row to row of the splits' sums: whole vectors of 8 outputs, of two columns each with geglu.
  int64_t partial_stride() const { return ceil_divide(columns, 16) * 16; }
  size_t scratch_bytes(const GemmPlan& plan) const {
    if (plan.splits == 1) return padded_bytes();
    return padded_bytes() +
           static_cast<size_t>(plan.splits * geometry.rows() * partial_stride()) * sizeof(float);
  }
};

// Of a product with a dense matrix [rows, depth].
inline GemmSizes dense_gemm(int64_t rows, int64_t depth, int64_t columns, DType dtype) {
  ConvGeometry g{};
  g.batch = rows;
  g.channels = depth;
  g.out_channels = columns;
  g.height = g.width = g.view_height = g.view_width = g.out_height = g.out_width = 1;
  g.kernel_height = g.kernel_width = g.stride = 1;
  return {g, columns, dtype};
}

// Why the kernels' numbers of 32 and 16 bits cannot hold these sizes, as a sentence; empty when they can.
inline std::string check_gemm_sizes(const GemmSizes& sizes) {
  constexpr int64_t kMost = INT32_MAX - 1024;  // the last tile may reach beyond the last row
  const ConvGeometry& g = sizes.geometry;
  if (g.rows() > kMost || sizes.pixels() > kMost / sizes.pixel_chunks() || sizes.columns > kMost ||
      sizes.depth_chunks() > kMost / kChunk) {
    return "x and weight: expected fewer than 2^31 output pixels, columns, and chunks of 8 channels; got " +
           std::to_string(g.rows()) + ", " + std::to_string(sizes.columns) + ", and " +
           std::to_string(sizes.pixels()) + " pixels of " + std::to_string(g.channels) + " channels";
  }
  const int64_t places[] = {g.height,
                            g.width,
                            g.view_height,
                            g.view_width,
                            g.top,
                            g.left,
                            (g.out_height - 1) * g.stride + g.kernel_height,
                            (g.out_width - 1) * g.stride + g.kernel_width};
  for (const int64_t place : places) {
    if (place > kLargestPlace) {
      return "x: expected pictures of at most " + std::to_string(kLargestPlace) +
             " lines and columns, upsampled and padded; got " + std::to_string(place);
    }
  }
  return {};
}

}  // namespace ipai::cuda
