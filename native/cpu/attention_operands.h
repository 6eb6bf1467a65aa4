// Brings queries, keys and values into the words that attention's products read (see attention_kernel.h).
#pragma once

#include <cstddef>

#include "cpu/attention_kernel.h"
#include "cpu/convert.h"
#include "cpu/transpose_lanes.h"

namespace ipai::IPAI_TARGET {

template <class T>
struct KeysAndValues {
  const T* keys;    // of the head: key i at keys + i·stride
  const T* values;  // likewise
  int64_t stride;
  int64_t count;
};

// Keys [count, words of the head size] and values [words of count, head size], strides in elements.
template <class E>
struct KeyBlock {
  const E* keys;
  int64_t key_stride;
  const E* values;
  int64_t value_stride;
};

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
  if constexpr (std::is_same_v<E, BFloat16>) return {_mm512_loadu_ps(row + 2 * first_word)};
#endif
  if constexpr (std::is_same_v<E, float>) return Vec::load(row + first_word);
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
      if (q < count) square[q].store(output + q * stride + first);
    }
  }
}

// Asks for the rows of keys to come: they lie too far apart for the processor to see a pattern.
template <class T>
void prefetch_rows(const KeysAndValues<T>& source, int64_t first, int64_t count, int64_t head_size) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = first; i < first + count; ++i) {
    for (int64_t channel = 0; channel < head_size; channel += kLine) {
      __builtin_prefetch(source.keys + i * source.stride + channel, 0, 2);
      __builtin_prefetch(source.values + i * source.stride + channel, 0, 2);
    }
  }
}

// Elements of E that load_block's copies take at most.
template <class E, class T>
int64_t block_elements(int64_t block_keys, int64_t head_size) {
  if (std::is_same_v<T, float>) return 0;
  const int64_t unit = kPerWord<E>;
  return block_keys * words<E>(head_size) * unit + words<E>(block_keys) * unit * head_size;
}

// float32 is read where it lies.
inline KeyBlock<float> load_block(const KeysAndValues<float>& source, int64_t first, int64_t, int64_t, float*) {
  const int64_t offset = first * source.stride;
  return {source.keys + offset, source.stride, source.values + offset, source.stride};
}

// bfloat16 becomes float32, rows close together.
inline KeyBlock<float> load_block(const KeysAndValues<BFloat16>& source, int64_t first, int64_t count,
                                  int64_t head_size, float* copies) {
  float* const values = copies + count * head_size;
  for (int64_t i = 0; i < count; ++i) {
    convert<BFloat16>(source.keys + (first + i) * source.stride, copies + i * head_size, head_size);
    convert<BFloat16>(source.values + (first + i) * source.stride, values + i * head_size, head_size);
  }
  return {copies, head_size, values, head_size};
}

#if defined(__AVX512BF16__)
// target[channel] = the pair (first[channel], second[channel]).
inline void pair_rows(const BFloat16* first, const BFloat16* second, int64_t count, BFloat16* target) {
  for (int64_t i = 0; i < count; i += Vec::kLanes) {
    const auto mask = static_cast<__mmask16>(count - i < Vec::kLanes ? (1u << (count - i)) - 1 : 0xffffu);
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, first + i));
    const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(second == nullptr ? 0 : mask, second + i));
    _mm512_mask_storeu_epi32(target + 2 * i, mask, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
}

// bfloat16 pairs: neighbouring channels of keys, neighbouring keys of values. Keys are read where they lie
// unless the head's last channel has no neighbour.
inline KeyBlock<BFloat16> load_block(const KeysAndValues<BFloat16>& source, int64_t first, int64_t count,
                                     int64_t head_size, BFloat16* copies) {
  const BFloat16* const keys = source.keys + first * source.stride;
  const BFloat16* const values = source.values + first * source.stride;
  for (int64_t i = 0; i < count; i += 2) {
    const BFloat16* const row = values + i * source.stride;
    pair_rows(row, i + 1 < count ? row + source.stride : nullptr, head_size, copies + i * head_size);
  }
  if (head_size % 2 == 0) return {keys, source.stride, copies, 2 * head_size};
  BFloat16* const padded = copies + words<BFloat16>(count) * 2 * head_size;
  for (int64_t i = 0; i < count; ++i) {
    std::copy_n(keys + i * source.stride, head_size, padded + i * (head_size + 1));
    padded[i * (head_size + 1) + head_size] = BFloat16{0};
  }
  return {padded, head_size + 1, copies, 2 * head_size};
}
#endif

}  // namespace ipai::IPAI_TARGET
