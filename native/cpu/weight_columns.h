// Weights read across their rows: what lies side by side in a panel of the packed form lies a whole row apart
// in a file.
#pragma once

#include <algorithm>

#include "cpu/convert.h"
#include "cpu/transpose_lanes.h"

namespace ipai::IPAI_TARGET {

// Of a weight [rows, depth] of `Source` elements, at any byte offset: store(at, column) for each `at` of
// depth in turn, where lane i of `column` is element `at` of row rows[i], or 0 where that is negative.
template <class Source, class Store>
void for_each_column(const void* source, int64_t depth, const int64_t (&rows)[Vec::kLanes], Store store) {
  constexpr int64_t kBlock = 64;  // 16 rows of it are an eighth of the L1
  alignas(64) float lines[Vec::kLanes][kBlock] = {};
  for (int64_t begin = 0; begin < depth; begin += kBlock) {
    const int64_t count = std::min(kBlock, depth - begin);
    for (int i = 0; i < Vec::kLanes; ++i) {
      if (rows[i] < 0) continue;
      const int64_t offset = (rows[i] * depth + begin) * static_cast<int64_t>(sizeof(Source));
      convert<Source>(static_cast<const std::byte*>(source) + offset, lines[i], count);
    }
    for (int64_t first = 0; first < count; first += Vec::kLanes) {
      Vec square[Vec::kLanes];
      for (int i = 0; i < Vec::kLanes; ++i) square[i] = Vec::load(lines[i] + first);
      transpose_lanes(square);
      const int64_t valid = std::min<int64_t>(Vec::kLanes, count - first);
      for (int64_t i = 0; i < valid; ++i) store(begin + first + i, square[i]);
    }
  }
}

}  // namespace ipai::IPAI_TARGET
