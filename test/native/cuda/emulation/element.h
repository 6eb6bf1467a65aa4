// Conversions of 16-bit elements: the CPU kernels' own.
#pragma once

#include "cpu/float16.h"
#include "cpu/vec.h"

namespace ipai::cuda::emulation {

template <class T>
float to_float(T value) {
  return IPAI_TARGET::to_float(value);
}

template <class T>
T from_float(float value) {
  T result;
  IPAI_TARGET::store_scalar(&result, value);
  return result;
}

}  // namespace ipai::cuda::emulation
