// Attention outside of the tensor cores, with heads of any size: a warp has a few tokens of its own, and each
// of its lanes one of 32 others. All are float32 in shared memory, where rows of others are a float longer,
// so that lanes that read the same channel of different rows meet no bank twice.
#pragma once

#include "cuda/attention_rows.h"
#include "cuda/element.h"

namespace ipai::cuda {

inline constexpr int kLaneWarps = 4;
inline constexpr int kLaneThreads = kLaneWarps * kWarpSize;
inline constexpr int kOwnTokens = 4;  // of a warp
inline constexpr int kBlockTokens = kLaneWarps * kOwnTokens;

// Of head `head` of a tensor [samples, count, heads · channels].
template <class T>
__device__ inline HeadRows<T> head_rows(T* tensor, int count, int heads, int channels, int sample, int head) {
  const int stride = heads * channels;
  return {tensor + static_cast<int64_t>(sample) * count * stride + head * channels, stride, count};
}

// Tokens [first, first + kOwnTokens) become a warp's own, zeros where there are none.
template <class T>
__device__ inline void load_own_tokens(float* own, const HeadRows<const T>& source, int first, int channels) {
#pragma unroll
  for (int r = 0; r < kOwnTokens; ++r) {
    for (int c = lane_index(); c < channels; c += kWarpSize) {
      own[r * channels + c] =
          first + r < source.count ? to_float(source.first[source.offset(first + r) + c]) : 0;
    }
  }
}

// Tokens [first, first + 32) become the lanes', zeros where there are none. All threads of the block share in
// it.
template <class T>
__device__ inline void load_lane_tokens(float* tile, const HeadRows<const T>& source, int first,
                                        int channels) {
  for (int row = warp_index(); row < kWarpSize; row += kLaneWarps) {
    for (int c = lane_index(); c < channels; c += kWarpSize) {
      tile[row * (channels + 1) + c] =
          first + row < source.count ? to_float(source.first[source.offset(first + row) + c]) : 0;
    }
  }
}

// Products of the warp's own tokens with this lane's.
__device__ inline void multiply_tokens(const float* own, const float* tile, int channels,
                                       float (&products)[kOwnTokens]) {
#pragma unroll
  for (float& product : products) product = 0;
  for (int c = 0; c < channels; ++c) {
    const float other = tile[lane_index() * (channels + 1) + c];
#pragma unroll
    for (int r = 0; r < kOwnTokens; ++r) products[r] = fmaf(own[r * channels + c], other, products[r]);
  }
}

// Sums over lanes of weight · token, for each of the warp's own tokens: a lane has channels lane, lane + 32,
// ...
template <int kSteps>
using TokenSums = float[kOwnTokens][kSteps];

// `lane_weights` are this lane's token's; `shared_weights` is the warp's place for all lanes'. The whole
// warp.
template <int kSteps>
__device__ inline void add_tokens(const float (&lane_weights)[kOwnTokens], float4* shared_weights,
                                  const float* tile, int channels, TokenSums<kSteps>& sums) {
  static_assert(kOwnTokens == 4, "weights of a lane are one vector");
  __syncwarp();  // all lanes are through with the weights before
  shared_weights[lane_index()] = {lane_weights[0], lane_weights[1], lane_weights[2], lane_weights[3]};
  __syncwarp();  // all lanes' weights are there
  for (int token = 0; token < kWarpSize; ++token) {
    const float4 weights = shared_weights[token];
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int c = step * kWarpSize + lane_index();
      if (c >= channels) continue;
      const float value = tile[token * (channels + 1) + c];
      sums[0][step] = fmaf(weights.x, value, sums[0][step]);
      sums[1][step] = fmaf(weights.y, value, sums[1][step]);
      sums[2][step] = fmaf(weights.z, value, sums[2][step]);
      sums[3][step] = fmaf(weights.w, value, sums[3][step]);
    }
  }
}

// Writes `factor` · sums to tokens from `first` on, as far as there are any.
template <int kSteps, class T>
__device__ inline void write_own_tokens(const TokenSums<kSteps>& sums, float factor,
                                        const HeadRows<T>& target, int first, int channels) {
#pragma unroll
  for (int r = 0; r < kOwnTokens; ++r) {
    if (first + r >= target.count) return;
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int c = step * kWarpSize + lane_index();
      if (c < channels) target.first[target.offset(first + r) + c] = from_float<T>(factor * sums[r][step]);
    }
  }
}

}  // namespace ipai::cuda
