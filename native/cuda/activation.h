// The activations of ops/unary/op.h, for elementwise kernels and epilogues.
#pragma once

#include "cuda/math.h"

namespace ipai::cuda {

__device__ inline float silu(float x) {
  return x * sigmoid(x);
}

__device__ inline float quick_gelu(float x) {
  return x * sigmoid(1.702f * x);
}

// erfc keeps the left tail, where 1 + erf would cancel.
__device__ inline float gelu(float x) {
  return 0.5f * x * erfcf(x * -0.707106781f);
}

}  // namespace ipai::cuda
