// layer_norm on CUDA: bound by memory, x read once and y written once.
//
// Rows of whole 16-byte vectors, up to the 1280 channels of the models, are taken by a warp each: mean, then
// squared deviations from it, then the result, all from registers (40 values of a row per lane). Other rows
// are taken by a block each, which reads them three times, the second and third time from cache.
#include "cuda/grid.h"
#include "cuda/reduce.h"
#include "cuda/vector.h"
#include "cuda/with_element.h"
#include "ops/layer_norm/op.h"
#include "runtime/cuda_encoder.h"

namespace ipai::cuda {
namespace {

// x and y may be the same. scale and shift may be null.
template <class T>
struct Rows {
  const T* x;
  T* y;
  const float* scale;
  const float* shift;
  int64_t count;
  int channels;
  float epsilon;
};

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
template <class T, int kVectors>
__global__ void __launch_bounds__(kWarpRowThreads, kWarpRowBlocks) layer_norm_warp_rows(const Rows<T> rows) {
  constexpr int kLanes = Vector<T>::kLanes;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * (kWarpRowThreads / kWarpSize) + warp_index();
  if (row >= rows.count) return;  // the whole warp
  const int vectors = rows.channels / kLanes;
  const T* const x = rows.x + row * rows.channels;
  T* const y = rows.y + row * rows.channels;

  float values[kVectors][kLanes] = {};
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kVectors; ++i) {
    const int vector = i * kWarpSize + lane_index();
    if (vector < vectors) Vector<T>::load(x + vector * kLanes).to_floats(values[i]);
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
    Vector<T>::from_floats(values[i]).store(y + vector * kLanes);
  }
}

template <class T>
__global__ void __launch_bounds__(kBlockRowThreads) layer_norm_block_rows(const Rows<T> rows) {
  __shared__ float partial[kBlockRowThreads / kWarpSize];
  const T* const x = rows.x + static_cast<int64_t>(blockIdx.x) * rows.channels;
  T* const y = rows.y + static_cast<int64_t>(blockIdx.x) * rows.channels;
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
    y[c] = from_float<T>(fmaf((to_float(x[c]) - mean) * inverse, scale, shift));
  }
}

template <class T, int kChannels>
void record_warp_rows(const Rows<T>& rows, CudaEncoder& encoder) {
  const LaunchShape shape = {blocks_for(rows.count, kWarpRowThreads / kWarpSize), kWarpRowThreads};
  constexpr int kVectors = kChannels / (kWarpSize * Vector<T>::kLanes);
  encoder.launch("layer_norm_warp_rows", layer_norm_warp_rows<T, kVectors>, shape, rows);
}

template <class T>
void record_rows(const Rows<T>& rows, CudaEncoder& encoder) {
  if (rows.channels % Vector<T>::kLanes == 0) {
    if (rows.channels <= 256) return record_warp_rows<T, 256>(rows, encoder);
    if (rows.channels <= 768) return record_warp_rows<T, 768>(rows, encoder);
    if (rows.channels <= 1280) return record_warp_rows<T, 1280>(rows, encoder);
  }
  const LaunchShape shape = {blocks_for(rows.count, 1), kBlockRowThreads};
  encoder.launch("layer_norm_block_rows", layer_norm_block_rows<T>, shape, rows);
}

void record(const LayerNorm& attributes, const NodeView& node, CudaEncoder& encoder) {
  with_element(node.output().dtype, [&](auto element) {
    using T = decltype(element);
    const Shape& shape = node.output().shape;
    const int64_t channels = shape[-1];
    record_rows<T>(
        {node.input(LayerNorm::kX).as<const T>(), node.output().as<T>(),
         node.input(LayerNorm::kScale).as<const float>(), node.input(LayerNorm::kShift).as<const float>(),
         shape.size() / channels, static_cast<int>(channels), attributes.epsilon},
        encoder);
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
