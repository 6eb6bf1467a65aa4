// Halves of lanes: vectors of twice as many elements of 16 bits.
#pragma once

#include "cpu/vec.h"

namespace ipai::IPAI_TARGET {

// The lower, or the upper, 16 bits of a's lanes, each below those of b's lane.
#if defined(__AVX512F__)
inline Vec pair_low_halves(Vec a, Vec b) {
  const __m512i upper = _mm512_slli_epi32(_mm512_castps_si512(b.v), 16);
  return {_mm512_castsi512_ps(_mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_castps_si512(a.v), upper))};
}
inline Vec pair_high_halves(Vec a, Vec b) {
  const __m512i lower = _mm512_srli_epi32(_mm512_castps_si512(a.v), 16);
  return {_mm512_castsi512_ps(_mm512_mask_blend_epi16(0xaaaaaaaa, lower, _mm512_castps_si512(b.v)))};
}
#elif defined(__AVX2__)
inline Vec pair_low_halves(Vec a, Vec b) {
  const __m256i upper = _mm256_slli_epi32(_mm256_castps_si256(b.v), 16);
  return {_mm256_castsi256_ps(_mm256_blend_epi16(_mm256_castps_si256(a.v), upper, 0xaa))};
}
inline Vec pair_high_halves(Vec a, Vec b) {
  const __m256i lower = _mm256_srli_epi32(_mm256_castps_si256(a.v), 16);
  return {_mm256_castsi256_ps(_mm256_blend_epi16(lower, _mm256_castps_si256(b.v), 0xaa))};
}
#else
typedef uint32_t LaneBits __attribute__((vector_size(16)));
inline Vec pair_low_halves(Vec a, Vec b) {
  const LaneBits lower = reinterpret_cast<LaneBits>(a.v) & 0xffffu;
  return {reinterpret_cast<Vec::Lanes>(lower | reinterpret_cast<LaneBits>(b.v) << 16)};
}
inline Vec pair_high_halves(Vec a, Vec b) {
  const LaneBits upper = reinterpret_cast<LaneBits>(b.v) & 0xffff0000u;
  return {reinterpret_cast<Vec::Lanes>(reinterpret_cast<LaneBits>(a.v) >> 16 | upper)};
}
#endif

}  // namespace ipai::IPAI_TARGET
