// Element types in device code: float, Float16 and BFloat16 (runtime/dtype.h) are what memory holds;
// arithmetic is float32. int32_t is only read. Two 16-bit elements travel as one 32-bit word, the first in
// the low half.
#pragma once

#include <type_traits>

#include "cuda/platform.h"
#include "runtime/dtype.h"

#if !defined(__CUDACC__)
#include "emulation/element.h"
#endif

namespace ipai::cuda {

template <class T>
__device__ inline float to_float(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return static_cast<float>(value);
  } else {
#if defined(__CUDACC__)
    if constexpr (std::is_same_v<T, BFloat16>) {
      return __uint_as_float(static_cast<uint32_t>(value.bits) << 16);
    } else {
      float result;
      asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
      return result;
    }
#else
    return emulation::to_float(value);
#endif
  }
}

// Rounds to nearest even.
template <class T>
__device__ inline T from_float(float value) {
  if constexpr (std::is_same_v<T, float>) {
    return value;
  } else {
#if defined(__CUDACC__)
    T result;
    if constexpr (std::is_same_v<T, BFloat16>) {
      asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    } else {
      asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
    }
    return result;
#else
    return emulation::from_float<T>(value);
#endif
  }
}

template <class T>
__device__ inline uint32_t pack_pair(float low, float high) {
  static_assert(sizeof(T) == 2, "pairs are of 16-bit elements");
#if defined(__CUDACC__)
  uint32_t pair;
  if constexpr (std::is_same_v<T, BFloat16>) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  }
  return pair;
#else
  return static_cast<uint32_t>(from_float<T>(low).bits) | static_cast<uint32_t>(from_float<T>(high).bits)
                                                              << 16;
#endif
}

template <class T>
__device__ inline float2 unpack_pair(uint32_t pair) {
  static_assert(sizeof(T) == 2, "pairs are of 16-bit elements");
  const T low = {static_cast<uint16_t>(pair)};
  const T high = {static_cast<uint16_t>(pair >> 16)};
  return {to_float(low), to_float(high)};
}

}  // namespace ipai::cuda
