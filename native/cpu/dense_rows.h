// Rows of a dense matrix, as a GEMM's left operand.
#pragma once

#include "cpu/micro_kernel.h"

namespace ipai::IPAI_TARGET {

template <class T>
inline void copy_as_float(const T* source, int64_t count, float* target) {
  int64_t i = 0;
  for (; i + Vec::kLanes <= count; i += Vec::kLanes) Vec::load(source + i).store(target + i);
  for (; i < count; ++i) target[i] = to_float(source[i]);
}

template <class T>
struct DenseRows {
  const T* data;
  int64_t width;

  void pack(int64_t first_row, int rows, int64_t first_depth, int64_t depth, float* panel) const {
    for (int r = 0; r < rows; ++r) {
      copy_as_float(data + (first_row + r) * width + first_depth, depth, panel + r * kPanelStride);
    }
  }
};

}  // namespace ipai::IPAI_TARGET
