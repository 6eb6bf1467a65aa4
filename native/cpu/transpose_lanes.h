// Transposition of a square of lanes in registers.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// a0 b0 a1 b1 ... of the lower or the upper halves.
#if defined(__AVX512F__)
inline Vec interleave_low(Vec a, Vec b) {
  const __m512i from = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return {_mm512_permutex2var_ps(a.v, from, b.v)};
}
inline Vec interleave_high(Vec a, Vec b) {
  const __m512i from = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return {_mm512_permutex2var_ps(a.v, from, b.v)};
}
#elif defined(__AVX2__)
inline Vec interleave_low(Vec a, Vec b) {
  return {_mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x20)};
}
inline Vec interleave_high(Vec a, Vec b) {
  return {_mm256_permute2f128_ps(_mm256_unpacklo_ps(a.v, b.v), _mm256_unpackhi_ps(a.v, b.v), 0x31)};
}
#else
inline Vec interleave_low(Vec a, Vec b) {
  return {Vec::Lanes{a.v[0], b.v[0], a.v[1], b.v[1]}};
}
inline Vec interleave_high(Vec a, Vec b) {
  return {Vec::Lanes{a.v[2], b.v[2], a.v[3], b.v[3]}};
}
#endif

// Lane j of rows[i] becomes lane i of rows[j]: log2(kLanes) perfect shuffles of the rows' sequence of
// elements (Stone 1971, Parallel processing with the perfect shuffle, section III).
inline void transpose_lanes(Vec (&rows)[Vec::kLanes]) {
  constexpr int kHalf = Vec::kLanes / 2;
#pragma GCC unroll 4
  for (int stage = 1; stage < Vec::kLanes; stage *= 2) {
    Vec shuffled[Vec::kLanes] = {};
#pragma GCC unroll 8
    for (int i = 0; i < kHalf; ++i) {
      shuffled[2 * i] = interleave_low(rows[i], rows[i + kHalf]);
      shuffled[2 * i + 1] = interleave_high(rows[i], rows[i + kHalf]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < Vec::kLanes; ++i) rows[i] = shuffled[i];
  }
}

}  // namespace ipai::IPAI_TARGET
