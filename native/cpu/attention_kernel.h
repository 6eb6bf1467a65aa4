// The matrix product inside attention: queries lie across vector lanes, so that keys and values are read as
// they are, word by word, and no head size needs padding to the width of a vector.
//
//   c[row][column] = start + Σ_i a(row, i) · b[i][column]
//
// Scores are such a product (rows: keys, i: head channels), and so are weighted values (rows: head channels,
// i: keys). A word is a float32, or a pair of bfloat16 neighbours in i where the target has dot products of
// them.
//
// Floor: rows · depth · vecs multiply-adds, one per cycle with AVX-512 on Zen 4: 115 GFLOP/s, 230 of
// bfloat16. Reached in self-attention of 4096 tokens, 8 heads of 40: 97 to 99% of what machine_peak measures
// on the same core (a profile's share of the time). Bound by the multiply-adds: 24 of them need 11 loads.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cpu/bfloat16_pairs.h"

namespace ipai::IPAI_TARGET {

// Registers: kRowBlock · kGroupVecs sums, kGroupVecs vectors of b, one word of a.
#if defined(__AVX512F__)
inline constexpr int kRowBlock = 8;
inline constexpr int kGroupVecs = 3;
#elif defined(__AVX2__)
inline constexpr int kRowBlock = 4;
inline constexpr int kGroupVecs = 3;
#else
inline constexpr int kRowBlock = 4;
inline constexpr int kGroupVecs = 2;
#endif

// Queries of one group: the distance between rows of b and c.
inline constexpr int kGroupQueries = kGroupVecs * Vec::kLanes;

// In what the products of activations T are made.
#if defined(__AVX512BF16__)
template <class T>
using Operand = T;
#else
template <class T>
using Operand = float;
#endif

template <class E>
inline constexpr int kPerWord = static_cast<int>(sizeof(float) / sizeof(E));

// Words that hold `count` elements.
template <class E>
int64_t words(int64_t count) {
  constexpr int64_t kUnit = kPerWord<E>;
  return (count + kUnit - 1) / kUnit;
}

// How a's word (row, i) is found, both in words.
enum class ALayout { kRowsApart, kRowsAdjacent };  // a[row · stride + i], a[i · stride + row]

// What the sums start from: 0, c, or factors[column] · c.
enum class Start { kZero, kKeep, kScale };

template <class E>
struct Product {
  const E* a;
  int64_t a_stride;  // in elements
  const float* b;
  float* c;
  int64_t rows;
  int64_t depth;  // in words
  int vecs;       // vectors of columns, at most kGroupVecs
  Start start = Start::kZero;
  const float* factors = nullptr;  // [columns]
  float* maxima = nullptr;         // [columns]; raised to the largest result of each column, if given
};

template <class E>
Vec broadcast_word(const E* a) {
  float word;
  std::memcpy(&word, a, sizeof(word));
  return Vec::broadcast(word);
}

template <class E>
Vec multiply_add(Vec a, Vec b, Vec sum) {
#if defined(__AVX512BF16__)
  if constexpr (std::is_same_v<E, BFloat16>) return dot_pairs(a, b, sum);
#endif
  return fma(a, b, sum);
}

template <class E>
Vec first_sum(const Product<E>& p, int64_t row, int column) {
  if (p.start == Start::kZero) return Vec::zero();
  const Vec c = Vec::load(p.c + row * kGroupQueries + column);
  return p.start == Start::kKeep ? c : c * Vec::load(p.factors + column);
}

template <class E, ALayout kLayout, int kRows, int kVecs>
void multiply_block(const Product<E>& p, int64_t row) {
  Vec sums[kRows][kVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 3
    for (int v = 0; v < kVecs; ++v) sums[r][v] = first_sum(p, row + r, v * Vec::kLanes);
  }
  const int64_t a_step = kLayout == ALayout::kRowsApart ? kPerWord<E> : p.a_stride;
  const int64_t a_row = kLayout == ALayout::kRowsApart ? p.a_stride : kPerWord<E>;
  const E* a = p.a + row * a_row;
  const float* b = p.b;
  for (int64_t i = 0; i < p.depth; ++i, a += a_step, b += kGroupQueries) {
    Vec b_row[kVecs];
#pragma GCC unroll 3
    for (int v = 0; v < kVecs; ++v) b_row[v] = Vec::load(b + v * Vec::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec word = broadcast_word(a + r * a_row);
#pragma GCC unroll 3
      for (int v = 0; v < kVecs; ++v) sums[r][v] = multiply_add<E>(word, b_row[v], sums[r][v]);
    }
  }
  float* const c = p.c + row * kGroupQueries;
#pragma GCC unroll 3
  for (int v = 0; v < kVecs; ++v) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) sums[r][v].store(c + r * kGroupQueries + v * Vec::kLanes);
    if (p.maxima == nullptr) continue;
    Vec maximum = Vec::load(p.maxima + v * Vec::kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) maximum = max(sums[r][v], maximum);
    maximum.store(p.maxima + v * Vec::kLanes);
  }
}

// Whole blocks of rows, then halves of blocks down to single rows.
template <class E, ALayout kLayout, int kRows, int kVecs>
void multiply_rows(const Product<E>& p, int64_t row) {
  for (; row + kRows <= p.rows; row += kRows) multiply_block<E, kLayout, kRows, kVecs>(p, row);
  if constexpr (kRows > 1) {
    if (row < p.rows) multiply_rows<E, kLayout, kRows / 2, kVecs>(p, row);
  }
}

template <ALayout kLayout, class E>
void multiply(const Product<E>& p) {
  switch (p.vecs) {
    case 1:
      return multiply_rows<E, kLayout, kRowBlock, 1>(p, 0);
    case 2:
      return multiply_rows<E, kLayout, kRowBlock, 2>(p, 0);
    default:
      return multiply_rows<E, kLayout, kRowBlock, kGroupVecs>(p, 0);
  }
}

}  // namespace ipai::IPAI_TARGET
