// layer_norm_gradient on CUDA: bound by memory. A warp takes a row, which it reads four times, all but the
// first time from cache: for the mean, for the deviation, for the means of the formula and for the result.
#include "cuda/element.h"
#include "cuda/grid.h"
#include "cuda/reduce.h"
#include "cuda/with_element.h"
#include "ops/layer_norm_gradient/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

constexpr int kThreads = 128;

// y may be x or gradient; scale may be null.
template <class T>
struct Rows {
  const T* x;
  const T* gradient;
  const float* scale;
  T* y;
  int64_t count;
  int channels;
  float epsilon;
};

template <class T>
__global__ void __launch_bounds__(kThreads) layer_norm_gradient_warp_rows(const Rows<T> rows) {
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (kThreads / kWarpSize) + warp_index();
  if (row >= rows.count) return;  // the whole warp
  const T* const x = rows.x + row * rows.channels;
  const T* const gradient = rows.gradient + row * rows.channels;
  T* const y = rows.y + row * rows.channels;
  const float share = 1.0f / static_cast<float>(rows.channels);
  const auto mean_of = [&](auto value) {
    float sum = 0;
    for (int c = lane_index(); c < rows.channels; c += kWarpSize) sum += value(c);
    return warp_reduce<Sum>(sum) * share;
  };
  const auto scaled_gradient = [&](int c) {
    return rows.scale == nullptr ? to_float(gradient[c]) : to_float(gradient[c]) * rows.scale[c];
  };

  const float mean = mean_of([&](int c) { return to_float(x[c]); });
  const auto deviation = [&](int c) { return to_float(x[c]) - mean; };
  const float variance = mean_of([&](int c) { return deviation(c) * deviation(c); });
  const float inverse = rsqrtf(variance + rows.epsilon);
  const float offset = mean_of(scaled_gradient);
  const float slope = mean_of([&](int c) { return scaled_gradient(c) * (deviation(c) * inverse); });
  for (int c = lane_index(); c < rows.channels; c += kWarpSize) {
    const float normal = deviation(c) * inverse;
    y[c] = from_float<T>((scaled_gradient(c) - offset - normal * slope) * inverse);
  }
}

void record(const LayerNormGradient& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const Shape& shape = node.output().shape;
    const int64_t channels = shape[-1], count = shape.size() / channels;
    const Rows<T> rows = {node.input(LayerNormGradient::kX).as<const T>(),
                          node.input(LayerNormGradient::kGradient).as<const T>(),
                          node.input(LayerNormGradient::kScale).as<const float>(),
                          node.output().as<T>(),
                          count,
                          static_cast<int>(channels),
                          attributes.epsilon};
    encoder.launch("layer_norm_gradient_warp_rows", layer_norm_gradient_warp_rows<T>,
                   {blocks_for(count, kThreads / kWarpSize), kThreads}, rows);
  });
}

}  // namespace

namespace ops {
Op layer_norm_gradient() {
  CudaOpSpec<LayerNormGradient> spec;
  spec.in_place_inputs = {LayerNormGradient::kX, LayerNormGradient::kGradient};
  spec.validate = LayerNormGradient::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
