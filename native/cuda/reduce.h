// Sums and maxima over a warp or a block, in an order that the thread count alone decides: equal inputs give
// equal bits. Every thread takes part and gets the result.
#pragma once

#include "cuda/platform.h"

namespace ipai::cuda {

inline constexpr uint32_t kWholeWarp = 0xffffffff;

struct Sum {
  static constexpr float kIdentity = 0;
  __device__ static float combine(float a, float b) { return a + b; }
};
struct Max {
  static constexpr float kIdentity = -INFINITY;
  __device__ static float combine(float a, float b) { return fmaxf(a, b); }
};

// Over groups of `kLanes` neighbours, a power of two.
template <class Operation, int kLanes = kWarpSize>
__device__ inline float warp_reduce(float value) {
#pragma unroll
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    value = Operation::combine(value, __shfl_xor_sync(kWholeWarp, value, distance));
  }
  return value;
}

// `partial` is shared memory for one float per warp; it may be used again afterwards.
template <class Operation>
__device__ inline float block_reduce(float value, float* partial) {
  const int warps = static_cast<int>(blockDim.x) / kWarpSize;
  value = warp_reduce<Operation>(value);
  if (lane_index() == 0) partial[warp_index()] = value;
  __syncthreads();
  value = lane_index() < warps ? partial[lane_index()] : Operation::kIdentity;
  value = warp_reduce<Operation>(value);
  __syncthreads();  // all have read `partial` before a caller writes it again
  return value;
}

}  // namespace ipai::cuda
