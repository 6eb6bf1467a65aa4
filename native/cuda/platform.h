// CUDA's language and built-in variables, from the compiler, or in test builds from an emulation of one block
// of threads on the host (test/native/cuda/emulation). Every header of this folder stands on this one.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#else
#include "emulation/platform.h"
#endif

namespace ipai::cuda {

inline constexpr int kWarpSize = 32;

__device__ inline int lane_index() {
  return static_cast<int>(threadIdx.x % kWarpSize);
}
__device__ inline int warp_index() {
  return static_cast<int>(threadIdx.x / kWarpSize);
}

// The block's dynamic shared memory, aligned to 128 bytes; its contents are whatever was there.
__device__ inline std::byte* dynamic_shared() {
#if defined(__CUDACC__)
  extern __shared__ __align__(128) unsigned char ipai_dynamic_shared[];
  return reinterpret_cast<std::byte*>(ipai_dynamic_shared);
#else
  return emulation::dynamic_shared();
#endif
}

// The same, aligned to 1024 bytes.
__device__ inline std::byte* shared_matrices() {
#if defined(__CUDACC__)
  extern __shared__ __align__(1024) unsigned char ipai_shared_matrices[];
  return reinterpret_cast<std::byte*>(ipai_shared_matrices);
#else
  return emulation::dynamic_shared();
#endif
}

}  // namespace ipai::cuda
