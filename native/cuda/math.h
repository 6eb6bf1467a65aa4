// Fast mathematics in float32.
#pragma once

#include "cuda/platform.h"

namespace ipai::cuda {

inline constexpr float kLog2E = 1.44269504088896341f;

// 2^x by the special function unit: 2 units in the last place, subnormal results are 0.
__device__ inline float exp2_approx(float x) {
#if defined(__CUDACC__)
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
#else
  return exp2f(x);
#endif
}

// 1 / (1 + e^-x)
__device__ inline float sigmoid(float x) {
  return __fdividef(1.0f, 1.0f + exp2_approx(-kLog2E * x));
}

}  // namespace ipai::cuda
