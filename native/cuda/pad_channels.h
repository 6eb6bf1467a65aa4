// Rows of channels that are no whole chunks, copied with zeros in what is missing: pictures of 3 or 4
// channels.
#pragma once

#include "cuda/lanes.h"
#include "cuda/window_rows.h"

namespace ipai::cuda {

inline constexpr int kPadThreads = 256;

// A thread writes one chunk.
template <class T>
__global__ void __launch_bounds__(kPadThreads)
    gemm_pad_channels(const T* x, T* padded, int64_t chunks, int chunks_per_row, int channels) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kPadThreads + threadIdx.x;
  if (i >= chunks) return;
  const int64_t row = i / chunks_per_row;
  const int first = static_cast<int>(i - row * chunks_per_row) * kChunk;
  float lanes[kChunk];
#pragma unroll
  for (int j = 0; j < kChunk; ++j) {
    lanes[j] = first + j < channels ? to_float(x[row * channels + first + j]) : 0;
  }
  store_lanes(padded + i * kChunk, lanes);
}

}  // namespace ipai::cuda
