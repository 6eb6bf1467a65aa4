// Queries into columns of words, as attention's products read them (see attention_kernel.h), and columns of
// results back into rows. Squares of kLanes x kLanes are transposed in registers.
//
// Floor: reading and writing each element once. Bound by the shuffles, log2(kLanes) for each vector.
#pragma once

#include "cpu/attention_kernel.h"
#include "cpu/transpose_lanes.h"

namespace ipai::IPAI_TARGET {

// One word of a row of channels; a missing second channel counts as 0.
template <class E, class T>
float word_of(const T* row, int64_t head_size, int64_t word) {
  if constexpr (std::is_same_v<E, float>) {
    return to_float(row[word]);
  } else {
    const BFloat16 pair[2] = {row[2 * word], 2 * word + 1 < head_size ? row[2 * word + 1] : BFloat16{0}};
    float result;
    std::memcpy(&result, pair, sizeof(result));
    return result;
  }
}

// kLanes words of a row.
template <class E, class T>
Vec words_of(const T* row, int64_t first_word) {
#if defined(__AVX512BF16__)
  if constexpr (std::is_same_v<E, BFloat16>) return load_pairs(row + 2 * first_word);
#endif
  return Vec::load(row + first_word);
}

// One vector of queries, `count` of them (at most kLanes), into columns of [words, kGroupQueries]; the others
// become 0.
template <class E, class T>
void transpose_queries(const T* queries, int64_t stride, int count, int64_t head_size, float* columns) {
  const int64_t depth = words<E>(head_size);
  if (depth < Vec::kLanes || head_size % kPerWord<E> != 0) {
    for (int64_t word = 0; word < depth; ++word) {
      float* const row = columns + word * kGroupQueries;
      for (int q = 0; q < count; ++q) row[q] = word_of<E>(queries + q * stride, head_size, word);
      std::fill(row + count, row + Vec::kLanes, 0.0f);
    }
    return;
  }
  for (int64_t next = 0; next < depth; next += Vec::kLanes) {
    const int64_t first = std::min(next, depth - Vec::kLanes);  // the last square overlaps the one before
    Vec square[Vec::kLanes];
#pragma GCC unroll 16
    for (int q = 0; q < Vec::kLanes; ++q) {
      square[q] = q < count ? words_of<E>(queries + q * stride, first) : Vec::zero();
    }
    transpose_lanes(square);
#pragma GCC unroll 16
    for (int i = 0; i < Vec::kLanes; ++i) square[i].store(columns + (first + i) * kGroupQueries);
  }
}

// The inverse, of [head_size, kGroupQueries] results: column(channel) gives one vector of queries.
template <class T, class Column>
void transpose_results(T* output, int64_t stride, int count, int64_t head_size, Column&& column) {
  if (head_size < Vec::kLanes) {
    for (int64_t channel = 0; channel < head_size; ++channel) {
      alignas(64) float lanes[Vec::kLanes];
      column(channel).store(lanes);
      for (int q = 0; q < count; ++q) store_scalar(output + q * stride + channel, lanes[q]);
    }
    return;
  }
  for (int64_t next = 0; next < head_size; next += Vec::kLanes) {
    const int64_t first = std::min(next, head_size - Vec::kLanes);
    Vec square[Vec::kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < Vec::kLanes; ++i) square[i] = column(first + i);
    transpose_lanes(square);
#pragma GCC unroll 16
    for (int q = 0; q < Vec::kLanes; ++q) {
      if (q < count) store_result(output + q * stride + first, square[q]);
    }
  }
}

}  // namespace ipai::IPAI_TARGET
