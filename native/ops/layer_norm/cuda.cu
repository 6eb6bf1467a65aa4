// layer_norm on CUDA: bound by memory, x read once and y written once.
//
// Rows of whole 16-byte vectors, up to the 1280 channels of the models, are taken by a warp each: mean, then
// squared deviations from it, then the result, all from registers (40 values of a row per lane). Other rows
// are taken by a block each, which reads them three times, the second and third time from cache.
//
// X is the dtype of x, Y that of y: the same, or X is float.
#include "cuda/grid.h"
#include "cuda/lanes.h"
#include "cuda/reduce.h"
#include "cuda/with_element.h"
#include "ops/layer_norm/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

// x and y may be the same. scale and shift may be null.
template <class X, class Y>
struct Rows {
  const X* x;
  Y* y;
  const float* scale;
  const float* shift;
  int64_t count;
  int channels;
  float epsilon;
};

// Elements that a lane reads and writes together, in whole vectors of both.
template <class X, class Y>
constexpr int kRowLanes = Vector<X>::kLanes > Vector<Y>::kLanes ? Vector<X>::kLanes : Vector<Y>::kLanes;

constexpr int kWarpRowThreads = 128;
// Blocks per multiprocessor, which leaves a thread 96 registers. Without it the compiler aims at more, and
// spills.
constexpr int kWarpRowBlocks = 5;
constexpr int kBlockRowThreads = 256;

// `lanes` of parameter from `channel` on; `otherwise` where there is no parameter.
template <int kLanes>
__device__ void load_parameter(const float* parameter, int channel, float otherwise, float (&lanes)[kLanes]) {
#pragma unroll
  for (int i = 0; i < kLanes; i += 4) {
    float quad[4] = {otherwise, otherwise, otherwise, otherwise};
    if (parameter != nullptr) Vector<float>::load(parameter + channel + i).to_floats(quad);
#pragma unroll
    for (int j = 0; j < 4; ++j) lanes[i + j] = quad[j];
  }
}

// A row has at most kVectors · 32 vectors.
template <class X, class Y, int kVectors>
__global__ void __launch_bounds__(kWarpRowThreads, kWarpRowBlocks)
    layer_norm_warp_rows(const Rows<X, Y> rows) {
  constexpr int kLanes = kRowLanes<X, Y>;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (kWarpRowThreads / kWarpSize) + warp_index();
  if (row >= rows.count) return;  // the whole warp
  const int vectors = rows.channels / kLanes;
  const X* const x = rows.x + row * rows.channels;
  Y* const y = rows.y + row * rows.channels;

  float values[kVectors][kLanes] = {};
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int vector = i * kWarpSize + lane_index();
    if (vector < vectors) load_lanes(x + vector * kLanes, values[i]);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) sum += values[i][j];
  }
  const float mean = warp_reduce<Sum>(sum) / static_cast<float>(rows.channels);
  float squares = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int vector = i * kWarpSize + lane_index();
#pragma unroll
    for (int j = 0; j < kLanes; ++j) {
      values[i][j] -= mean;
      squares += vector < vectors ? values[i][j] * values[i][j] : 0;
    }
  }
  const float inverse = rsqrtf(warp_reduce<Sum>(squares) / static_cast<float>(rows.channels) + rows.epsilon);
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int vector = i * kWarpSize + lane_index();
    if (vector >= vectors) continue;
    float scale[kLanes], shift[kLanes];
    load_parameter(rows.scale, vector * kLanes, 1, scale);
    load_parameter(rows.shift, vector * kLanes, 0, shift);
#pragma unroll
    for (int j = 0; j < kLanes; ++j) values[i][j] = fmaf(values[i][j] * inverse, scale[j], shift[j]);
    store_lanes(y + vector * kLanes, values[i]);
  }
}

template <class X, class Y>
__global__ void __launch_bounds__(kBlockRowThreads) layer_norm_block_rows(const Rows<X, Y> rows) {
  __shared__ float partial[kBlockRowThreads / kWarpSize];
  const X* const x = rows.x + static_cast<int64_t>(blockIdx.x) * rows.channels;
  Y* const y = rows.y + static_cast<int64_t>(blockIdx.x) * rows.channels;
  const int thread = static_cast<int>(threadIdx.x);

  float sum = 0;
  for (int c = thread; c < rows.channels; c += kBlockRowThreads) sum += to_float(x[c]);
  const float mean = block_reduce<Sum>(sum, partial) / static_cast<float>(rows.channels);
  float squares = 0;
  for (int c = thread; c < rows.channels; c += kBlockRowThreads) {
    const float deviation = to_float(x[c]) - mean;
    squares += deviation * deviation;
  }
  const float variance = block_reduce<Sum>(squares, partial) / static_cast<float>(rows.channels);
  const float inverse = rsqrtf(variance + rows.epsilon);
  for (int c = thread; c < rows.channels; c += kBlockRowThreads) {
    const float scale = rows.scale != nullptr ? rows.scale[c] : 1;
    const float shift = rows.shift != nullptr ? rows.shift[c] : 0;
    y[c] = from_float<Y>(fmaf((to_float(x[c]) - mean) * inverse, scale, shift));
  }
}

template <class X, class Y, int kChannels>
void record_warp_rows(const Rows<X, Y>& rows, CudaEncoder& encoder) {
  const LaunchShape shape = {blocks_for(rows.count, kWarpRowThreads / kWarpSize), kWarpRowThreads};
  constexpr int kVectors = kChannels / (kWarpSize * kRowLanes<X, Y>);
  encoder.launch("layer_norm_warp_rows", layer_norm_warp_rows<X, Y, kVectors>, shape, rows);
}

template <class X, class Y>
void record_rows(const Rows<X, Y>& rows, CudaEncoder& encoder) {
  if (rows.channels % kRowLanes<X, Y> == 0) {
    if (rows.channels <= 256) return record_warp_rows<X, Y, 256>(rows, encoder);
    if (rows.channels <= 768) return record_warp_rows<X, Y, 768>(rows, encoder);
    if (rows.channels <= 1280) return record_warp_rows<X, Y, 1280>(rows, encoder);
  }
  const LaunchShape shape = {blocks_for(rows.count, 1), kBlockRowThreads};
  encoder.launch("layer_norm_block_rows", layer_norm_block_rows<X, Y>, shape, rows);
}

void record(const LayerNorm& attributes, const NodeView& node, CudaEncoder& encoder) {
  const TensorView& x = node.input(LayerNorm::kX);
  const int64_t channels = x.shape[-1];
  const auto record_as = [&](const auto* from, auto* to) {
    using X = std::remove_const_t<std::remove_pointer_t<decltype(from)>>;
    using Y = std::remove_pointer_t<decltype(to)>;
    record_rows<X, Y>({from, to, node.input(LayerNorm::kScale).as<const float>(),
                       node.input(LayerNorm::kShift).as<const float>(), x.shape.size() / channels,
                       static_cast<int>(channels), attributes.epsilon},
                      encoder);
  };
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    T* const y = node.output().as<T>();
    if (x.dtype == DType::kFloat32) return record_as(x.as<const float>(), y);
    record_as(x.as<const T>(), y);
  });
}

}  // namespace

namespace ops {
Op layer_norm() {
  CudaOpSpec<LayerNorm> spec;
  spec.in_place_inputs = {LayerNorm::kX};
  spec.validate = LayerNorm::validate;
  spec.record = record;
  return make_cuda_op(spec);
}
}  // namespace ops

}  // namespace ipai::cuda
