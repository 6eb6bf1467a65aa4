// 16 bytes of elements, loaded and stored by one instruction. Addresses are multiples of 16.
#pragma once

#include "cuda/element.h"

namespace ipai::cuda {

template <class T>
struct Vector {
  static constexpr int kLanes = 16 / sizeof(T);

  uint4 bits;

  __device__ static Vector load(const T* address) {
    return {*reinterpret_cast<const uint4*>(require_aligned(address))};
  }
  __device__ void store(T* address) const {
    *reinterpret_cast<uint4*>(const_cast<T*>(require_aligned(address))) = bits;
  }

  __device__ void to_floats(float (&lanes)[kLanes]) const {
    const uint32_t words[4] = {bits.x, bits.y, bits.z, bits.w};
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (std::is_same_v<T, int32_t>) {
        lanes[i] = to_float(static_cast<int32_t>(words[i]));
      } else if constexpr (sizeof(T) == 4) {
        lanes[i] = __uint_as_float(words[i]);
      } else {
        const float2 pair = unpack_pair<T>(words[i]);
        lanes[2 * i] = pair.x;
        lanes[2 * i + 1] = pair.y;
      }
    }
  }
  __device__ static Vector from_floats(const float (&lanes)[kLanes]) {
    uint32_t words[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if constexpr (sizeof(T) == 4) {
        words[i] = __float_as_uint(lanes[i]);
      } else {
        words[i] = pack_pair<T>(lanes[2 * i], lanes[2 * i + 1]);
      }
    }
    return {{words[0], words[1], words[2], words[3]}};
  }

 private:
  __device__ static const T* require_aligned(const T* address) {
#if !defined(__CUDACC__)
    emulation::require_aligned(address, "Vector");
#endif
    return address;
  }
};

}  // namespace ipai::cuda
