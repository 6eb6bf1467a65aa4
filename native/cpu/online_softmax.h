// The softmax over keys that come in blocks (Milakov & Gimelshein 2018, Online normalizer calculation for
// softmax, algorithm 3), of one group of queries. Row i of the scores belongs to key i, column q to query q:
// the softmax is plain arithmetic between vectors.
//
// Floor: one exponential for each score, exp2 in math.h; the maxima come with the product of the scores.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "cpu/attention_kernel.h"
#include "cpu/math.h"

namespace ipai::IPAI_TARGET {

// Of one group, each [kGroupQueries].
struct SoftmaxState {
  float* maxima;       // largest score so far
  float* totals;       // Σ 2^(factor · (score - maximum))
  float* corrections;  // of the last block: 2^(factor · (previous maximum - maximum))
};

inline void begin_softmax(const SoftmaxState& state) {
  // A finite start, so that differences from it are never infinity - infinity.
  std::fill_n(state.maxima, kGroupQueries, std::numeric_limits<float>::lowest());
  std::fill_n(state.totals, kGroupQueries, 0.0f);
}

// Whether the last block's maxima were larger than those before.
inline bool corrects(const SoftmaxState& state, int vecs) {
  bool any = false;
  for (int q = 0; q < vecs * Vec::kLanes; ++q) any |= state.corrections[q] != 1.0f;
  return any;
}

// maxima[column] = the largest of it and the scores, NaN apart.
inline void raise_maxima(const float* scores, int64_t count, int vecs, float* maxima) {
  for (int column = 0; column < vecs * Vec::kLanes; column += Vec::kLanes) {
    Vec maximum = Vec::load(maxima + column);
    for (int64_t i = 0; i < count; ++i)
      maximum = max(Vec::load(scores + i * kGroupQueries + column), maximum);
    maximum.store(maxima + column);
  }
}

#if defined(__AVX512BF16__)
// Words of bfloat16 pairs (first, second), rounded to nearest even.
inline Vec pair_words(Vec first, Vec second) {
  const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8,
                                              23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const auto halves = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(second.v, first.v));
  return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(interleave, halves))};
}

// total + first + second of each pair.
inline Vec add_pairs(Vec total, Vec words) {
  const Vec ones = {_mm512_castsi512_ps(_mm512_set1_epi16(0x3f80))};
  return dot_pairs(words, ones, total);
}
#endif

// One step of the online softmax for one vector of queries: scores [count rows] become weights, as words of
// E: two rows of scores make one of bfloat16 pairs. Totals are those of the rounded weights, which then
// add up to 1: what all values have in common does not suffer from rounding.
// `factor` is positive, and `maxima` are those of this block's scores and all before.
template <class E>
void exponentiate(float* scores, int64_t count, float factor, const float* maxima, const SoftmaxState& state,
                  int column) {
  const Vec scale = Vec::broadcast(factor);
  const Vec maximum = Vec::load(maxima + column);
  const Vec correction = exp2((Vec::load(state.maxima + column) - maximum) * scale);
  const Vec shift = Vec::zero() - maximum * scale;
  Vec total = Vec::load(state.totals + column) * correction;
  const auto weight = [&](int64_t i) {
    return exp2(fma(Vec::load(scores + i * kGroupQueries), scale, shift));
  };
#if defined(__AVX512BF16__)
  if constexpr (std::is_same_v<E, BFloat16>) {
    for (int64_t i = 0; i < count; i += 2) {
      const Vec first = weight(i);
      const Vec second = i + 1 < count ? weight(i + 1) : Vec::zero();
      const Vec words = pair_words(first, second);
      total = add_pairs(total, words);
      words.store(scores + i / 2 * kGroupQueries);
    }
  }
#endif
  if constexpr (std::is_same_v<E, float>) {
    for (int64_t i = 0; i < count; ++i) {
      const Vec result = weight(i);
      total = total + result;
      result.store(scores + i * kGroupQueries);
    }
  }
  maximum.store(state.maxima + column);
  correction.store(state.corrections + column);
  total.store(state.totals + column);
}

}  // namespace ipai::IPAI_TARGET
