// Counts cut into parts of about equal size.
#pragma once

#include <cstdint>

namespace ipai::IPAI_TARGET {

constexpr int64_t divide_up(int64_t value, int64_t by) {
  return (value + by - 1) / by;
}

// [count·index/parts, count·(index+1)/parts): the index-th of `parts` nearly equal parts of [0, count).
struct Range {
  int64_t begin;
  int64_t end;
  int64_t size() const { return end - begin; }
};
inline Range part_of(int64_t count, int64_t parts, int64_t index) {
  return {count * index / parts, count * (index + 1) / parts};
}

}  // namespace ipai::IPAI_TARGET
