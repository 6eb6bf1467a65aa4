// A copy of equally long runs of bytes, spread over the thread team.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "runtime/cpu_context.h"

namespace ipai {

struct RowCopy {
  const std::byte* source;
  int64_t source_stride;  // bytes from row to row
  std::byte* target;
  int64_t target_stride;
  int64_t row_bytes;
  int64_t rows;
};

inline void copy_rows(const RowCopy& copy, CpuContext& context) {
  constexpr int64_t kTaskBytes = 65536;
  const int64_t pieces = (copy.row_bytes + kTaskBytes - 1) / kTaskBytes;  // of a long row
  const int64_t grain = std::max<int64_t>(1, kTaskBytes / copy.row_bytes);
  context.parallel_ranges(copy.rows * pieces, grain, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / pieces;
      const int64_t first = i % pieces * kTaskBytes;
      const auto bytes = static_cast<size_t>(std::min(kTaskBytes, copy.row_bytes - first));
      std::memcpy(copy.target + row * copy.target_stride + first,
                  copy.source + row * copy.source_stride + first, bytes);
    }
  });
}

}  // namespace ipai
