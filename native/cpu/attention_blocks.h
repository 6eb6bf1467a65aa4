// Brings blocks of keys and values into the words that attention's products read (see attention_kernel.h).
//
// Floor: one read of the rows, which a tile's queries share. What bounds it is the way from the L3 cache,
// hence the prefetching.
#pragma once

#include "cpu/attention_kernel.h"
#include "cpu/convert.h"
#include "cpu/prefetch_rows.h"

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

// Asks for rows of keys to come.
template <class T>
void prefetch_keys(const KeysAndValues<T>& source, int64_t first, int64_t count, int64_t head_size) {
  prefetch_rows<false>(source.keys + first * source.stride, source.stride, count, head_size);
  prefetch_rows<false>(source.values + first * source.stride, source.stride, count, head_size);
}

// Elements of E that load_block's copies take at most.
template <class E, class T>
int64_t block_elements(int64_t block_keys, int64_t head_size) {
  if (std::is_same_v<T, float>) return 0;
  const int64_t unit = kPerWord<E>;
  return block_keys * words<E>(head_size) * unit + words<E>(block_keys) * unit * head_size;
}

// float32 is read where it lies.
inline KeyBlock<float> load_block(const KeysAndValues<float>& source, int64_t first, int64_t, int64_t,
                                  float*) {
  const int64_t offset = first * source.stride;
  return {source.keys + offset, source.stride, source.values + offset, source.stride};
}

#if !defined(__AVX512BF16__)
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
#else
// target[channel] = the pair (first[channel], second[channel]), or (first[channel], 0).
inline void pair_rows(const BFloat16* first, const BFloat16* second, bool has_second, int64_t count,
                      BFloat16* target) {
  for (int64_t i = 0; i < count; i += Vec::kLanes) {
    const auto mask = static_cast<__mmask16>(count - i < Vec::kLanes ? (1u << (count - i)) - 1 : 0xffffu);
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, first + i));
    const __m512i high = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(has_second ? mask : 0, second + i));
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
    const bool has_second = i + 1 < count;
    pair_rows(row, has_second ? row + source.stride : row, has_second, head_size, copies + i * head_size);
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
