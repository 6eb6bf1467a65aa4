// Asks for rows that are soon read, or written, and lie too far apart for the processor to see a pattern.
#pragma once

#include <cstdint>

namespace ipai::IPAI_TARGET {

template <bool kForWriting, class T>
void prefetch_rows(const T* rows, int64_t stride, int64_t count, int64_t length) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t i = 0; i < length; i += kLine) __builtin_prefetch(rows + row * stride + i, kForWriting, 2);
  }
}

}  // namespace ipai::IPAI_TARGET
