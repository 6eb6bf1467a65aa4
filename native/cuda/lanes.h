// Neighbouring elements as float32 values: by accesses of 16 bytes, or one element alone where kCount is 1,
// which serves rows that do not begin at multiples of 16 bytes.
#pragma once

#include "cuda/vector.h"

namespace ipai::cuda {

// `address` is a multiple of 16 bytes unless kCount is 1.
template <class T, int kCount>
__device__ inline void load_lanes(const T* address, float (&lanes)[kCount]) {
  if constexpr (kCount == 1) {
    lanes[0] = to_float(*address);
  } else {
    constexpr int kLanes = Vector<T>::kLanes;
    static_assert(kCount % kLanes == 0, "whole vectors");
#pragma unroll
    for (int i = 0; i < kCount; i += kLanes) {
      float part[kLanes];
      Vector<T>::load(address + i).to_floats(part);
#pragma unroll
      for (int j = 0; j < kLanes; ++j) lanes[i + j] = part[j];
    }
  }
}

template <class T, int kCount>
__device__ inline void store_lanes(T* address, const float (&lanes)[kCount]) {
  if constexpr (kCount == 1) {
    *address = from_float<T>(lanes[0]);
  } else {
    constexpr int kLanes = Vector<T>::kLanes;
    static_assert(kCount % kLanes == 0, "whole vectors");
#pragma unroll
    for (int i = 0; i < kCount; i += kLanes) {
      float part[kLanes];
#pragma unroll
      for (int j = 0; j < kLanes; ++j) part[j] = lanes[i + j];
      Vector<T>::from_floats(part).store(address + i);
    }
  }
}

// As above at the end of an array, of which `left` elements are left; lanes beyond are 0, and not stored.
template <class T, int kCount>
__device__ inline void load_lanes(const T* address, int64_t left, float (&lanes)[kCount]) {
  if (left >= kCount) return load_lanes(address, lanes);
#pragma unroll
  for (int i = 0; i < kCount; ++i) lanes[i] = i < left ? to_float(address[i]) : 0;
}

template <class T, int kCount>
__device__ inline void store_lanes(T* address, int64_t left, const float (&lanes)[kCount]) {
  if (left >= kCount) return store_lanes(address, lanes);
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    if (i < left) address[i] = from_float<T>(lanes[i]);
  }
}

}  // namespace ipai::cuda
