// How many blocks a launch takes.
#pragma once

#include <cstdint>

#include "runtime/kernel_launch.h"

namespace ipai::cuda {

constexpr int64_t ceil_divide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Enough blocks for `count` items, `per_block` each; blockIdx.x is the block's number.
inline GridExtent blocks_for(int64_t count, int64_t per_block) {
  return {static_cast<uint32_t>(ceil_divide(count, per_block))};
}

}  // namespace ipai::cuda
