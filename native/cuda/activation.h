// The activations of ops/unary/op.h and their derivatives, for elementwise kernels and epilogues.
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

__device__ inline float silu_derivative(float x) {
  const float s = sigmoid(x);
  return fmaf(x * s, 1 - s, s);
}

__device__ inline float quick_gelu_derivative(float x) {
  const float s = sigmoid(1.702f * x);
  return fmaf(1.702f * x * s, 1 - s, s);
}

// Φ(x) + x · φ(x), the normal distribution and its density.
__device__ inline float gelu_derivative(float x) {
  const float density = 0.398942280f * exp2_approx(-0.5f * kLog2E * x * x);
  return fmaf(x, density, 0.5f * erfcf(x * -0.707106781f));
}

}  // namespace ipai::cuda
