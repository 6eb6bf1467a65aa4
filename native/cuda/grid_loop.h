// Loops of a whole grid over items: a thread takes an item, then the one a grid further on.
#pragma once

#include <algorithm>

#include "cuda/grid.h"
#include "cuda/platform.h"
#include "runtime/device_traits.h"

namespace ipai::cuda {

inline constexpr int kLoopThreads = 256;
// Of one multiprocessor: 1536 threads, which every device holds, of up to 40 registers.
inline constexpr int kLoopBlocks = 6;

// As many threads as items, but not more blocks than the device has room for at once: what is left to do is
// then the loop's, at the cost of an addition, and not that of more blocks.
inline LaunchShape loop_shape(int64_t items, const DeviceTraits& device) {
  const int64_t resident = int64_t{device.multiprocessors} * kLoopBlocks;
  return {{static_cast<uint32_t>(std::min(ceil_divide(items, kLoopThreads), resident))}, kLoopThreads};
}

template <class Body>
__device__ inline void grid_loop(int64_t items, Body body) {
  const int64_t step = static_cast<int64_t>(gridDim.x) * kLoopThreads;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * kLoopThreads + threadIdx.x; i < items; i += step) {
    body(i);
  }
}

}  // namespace ipai::cuda
