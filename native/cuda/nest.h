// A LoopNest in device code: from the number of an item to where it lies in each array.
#pragma once

#include "cuda/platform.h"
#include "runtime/loop_nest.h"

namespace ipai::cuda {

template <int kArrays>
struct Nest {
  int rank = 0;
  // The innermost axis is the first.
  int64_t extents[kMaxRank] = {};
  int64_t strides[kMaxRank][kArrays] = {};

  Nest() = default;
  explicit Nest(const LoopNest<kArrays>& nest) : rank(nest.rank()) {
    for (int i = 0; i < rank; ++i) {
      extents[i] = nest.extent(rank - 1 - i);
      for (int k = 0; k < kArrays; ++k) strides[i][k] = nest.stride(rank - 1 - i, k);
    }
  }

  int64_t size() const {
    int64_t product = 1;
    for (int i = 0; i < rank; ++i) product *= extents[i];
    return product;
  }

  // The compiler divides by way of 32 bits where both numbers have no more, which takes some 20 instructions,
  // and one axis takes no division at all.
  __device__ void locate(int64_t item, int64_t (&offsets)[kArrays]) const {
    for (int k = 0; k < kArrays; ++k) offsets[k] = 0;
    for (int i = 0; i < rank; ++i) {
      const int64_t next = i + 1 < rank ? item / extents[i] : 0;
      const int64_t position = item - next * extents[i];
      for (int k = 0; k < kArrays; ++k) offsets[k] += position * strides[i][k];
      item = next;
    }
  }
};

}  // namespace ipai::cuda
