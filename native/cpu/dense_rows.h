// Rows of a dense matrix, as a GEMM's left operand.
#pragma once

#include "cpu/convert.h"
#include "cpu/prefetch_rows.h"

namespace ipai::IPAI_TARGET {

// Panels hold elements as they are, or as float32.
inline void copy_elements(const BFloat16* source, int64_t count, BFloat16* target) {
  std::memcpy(target, source, static_cast<size_t>(count) * sizeof(BFloat16));
}
template <class T>
void copy_elements(const T* source, int64_t count, float* target) {
  convert<T>(source, target, count);
}

template <class T>
struct DenseRows {
  const T* data;
  int64_t width;

  void prefetch(int64_t first_row, int64_t rows, int64_t first_depth, int64_t depth) const {
    prefetch_rows<false>(data + first_row * width + first_depth, width, rows, depth);
  }

  template <class Element>
  void pack(int64_t first_row, int rows, int64_t first_depth, int64_t depth, Element* panel,
            int64_t panel_stride) const {
    for (int r = 0; r < rows; ++r) {
      copy_elements(data + (first_row + r) * width + first_depth, depth, panel + r * panel_stride);
    }
  }
};

}  // namespace ipai::IPAI_TARGET
