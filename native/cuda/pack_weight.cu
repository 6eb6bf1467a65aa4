#include "cuda/pack_weight.h"

#include "cuda/grid.h"
#include "cuda/lanes.h"
#include "cuda/with_element.h"

namespace ipai::cuda {
namespace {

constexpr int kPackThreads = 256;

// The source is [rows, channels, taps]. A thread writes one chunk. Run once per weight.
template <class Source, class T>
__global__ void __launch_bounds__(kPackThreads)
    pack_weight(const Source* source, T* packed, int64_t rows, int channels, int taps, bool glu) {
  const int tap_chunks = (channels + kChunk - 1) / kChunk;
  const int64_t row_chunks = static_cast<int64_t>(taps) * tap_chunks;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kPackThreads + threadIdx.x;
  if (i >= rows * row_chunks) return;
  const int64_t row = i / row_chunks;
  const int tap = static_cast<int>((i - row * row_chunks) / tap_chunks);
  const int first = static_cast<int>((i - row * row_chunks) % tap_chunks) * kChunk;
  const int64_t source_row = glu ? row / 2 + row % 2 * (rows / 2) : row;
  float lanes[kChunk];
#pragma unroll
  for (int j = 0; j < kChunk; ++j) {
    const int64_t place = (source_row * channels + first + j) * taps + tap;
    lanes[j] = first + j < channels ? to_float(source[place]) : 0;
  }
  store_lanes(packed + i * kChunk, lanes);
}

// The source is [channels, rows]. A thread writes one chunk; neighbours read neighbouring rows.
template <class Source, class T>
__global__ void __launch_bounds__(kPackThreads)
    pack_transposed_weight(const Source* source, T* packed, int64_t rows, int channels, bool glu) {
  const int64_t row_chunks = (channels + kChunk - 1) / kChunk;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kPackThreads + threadIdx.x;
  if (i >= rows * row_chunks) return;
  const int64_t source_row = i % rows;
  const int64_t half = rows / 2;
  const int64_t row = glu ? source_row % half * 2 + source_row / half : source_row;
  const int first = static_cast<int>(i / rows) * kChunk;
  float lanes[kChunk];
#pragma unroll
  for (int j = 0; j < kChunk; ++j) {
    lanes[j] = first + j < channels ? to_float(source[(first + j) * rows + source_row]) : 0;
  }
  store_lanes(packed + row * row_chunks * kChunk + first, lanes);
}

}  // namespace

void record_pack_weight(const TensorView& weight, const TensorView& packed, bool glu, CudaEncoder& encoder) {
  const int64_t rows = weight.shape[0], channels = weight.shape[1], taps = weight.shape.size(2);
  const int64_t chunks = rows * taps * ceil_divide(channels, kChunk);
  with_element(weight.dtype, [&](auto source) {
    with_element(packed.dtype, [&](auto target) {
      using Source = decltype(source);
      using T = decltype(target);
      encoder.launch("pack_weight", pack_weight<Source, T>, {blocks_for(chunks, kPackThreads), kPackThreads},
                     weight.as<const Source>(), packed.as<T>(), rows, static_cast<int>(channels),
                     static_cast<int>(taps), glu);
    });
  });
}

void record_pack_transposed_weight(const TensorView& weight, const TensorView& packed, bool glu,
                                   CudaEncoder& encoder) {
  const int64_t channels = weight.shape[0], rows = weight.shape[1];
  const int64_t chunks = rows * ceil_divide(channels, kChunk);
  with_element(weight.dtype, [&](auto source) {
    with_element(packed.dtype, [&](auto target) {
      using Source = decltype(source);
      using T = decltype(target);
      encoder.launch("pack_transposed_weight", pack_transposed_weight<Source, T>,
                     {blocks_for(chunks, kPackThreads), kPackThreads}, weight.as<const Source>(),
                     packed.as<T>(), rows, static_cast<int>(channels), glu);
    });
  });
}

}  // namespace ipai::cuda
