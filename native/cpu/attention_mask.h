// What is done to a group's scores between their product and the softmax, where anything is.
#pragma once

#include <algorithm>
#include <limits>

#include "cpu/attention_kernel.h"
#include "cpu/math.h"

namespace ipai::IPAI_TARGET {

// Scores of keys beyond the query (causal), and numbers to add to scores.
struct ScoreMask {
  const float* added = nullptr;  // row of the tile's first query, [keys]; may be null
  int64_t added_stride = 0;      // from query to query; 0 where all share one row
  bool causal = false;           // query q sees the keys 0 ... q
  int64_t first_query = 0;       // of the tile
};

// The same for one group and block of keys.
struct BlockMask {
  const float* added;  // row of the group's first query, the block's first key; may be null
  int64_t added_stride;
  int64_t first_query;  // of the group
  int64_t first_key;
};

inline BlockMask block_of(const ScoreMask& mask, int first_query, int64_t first_key) {
  const float* const added =
      mask.added == nullptr ? nullptr : mask.added + first_query * mask.added_stride + first_key;
  return {added, mask.added_stride, mask.first_query + first_query, first_key};
}

// Products become scores in base 2: factor · score, plus log2(e) · mask. In float64, because masks may be
// large and are rounded only once like this.
inline void scale_and_add(const BlockMask& mask, int64_t keys, int queries, float factor, float* scores) {
  for (int64_t i = 0; i < keys; ++i, scores += kGroupQueries) {
    for (int q = 0; q < queries; ++q) {
      const double added = mask.added == nullptr ? 0 : mask.added[q * mask.added_stride + i];
      scores[q] = static_cast<float>(static_cast<double>(scores[q]) * factor + added * kLog2E);
    }
  }
}

inline void hide_later_keys(const BlockMask& mask, int64_t keys, float* scores) {
  for (int64_t i = std::max<int64_t>(0, mask.first_query + 1 - mask.first_key); i < keys; ++i) {
    const int64_t hidden = std::min<int64_t>(kGroupQueries, mask.first_key + i - mask.first_query);
    std::fill_n(scores + i * kGroupQueries, hidden, -std::numeric_limits<float>::infinity());
  }
}

}  // namespace ipai::IPAI_TARGET
