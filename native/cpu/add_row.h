// Adding a row of numbers to float32 sums.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// sums[i] += x[i]
template <class T>
void add_row(const T* x, int64_t count, float* sums) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) (Vec::load(sums + i) + Vec::load(x + i)).store(sums + i);
  for (; i < count; ++i) sums[i] += to_float(x[i]);
}

}  // namespace ipai::IPAI_TARGET
